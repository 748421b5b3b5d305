"""Cities beside each other, a region's profile, trends and the distance to a target."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.aggregate import weighted_mean
from reporting.comparison import CityFigures, Line, compare, ranks
from reporting.figures.figures import Figure
from reporting.figures.reported import Reported
from reporting.scoring import Target
from reporting.trend import distance, slope, trend
from telemetry.errors import UsageError
from tests.reporting.city import run

ANSCOMBE_X = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0]
ANSCOMBE_Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
HEADER = "code,part,year,value,numerator,denominator,source,quality\n"


def city(name: str, population: float | None, **values: float) -> CityFigures:
    found = [
        Figure(code=code.replace("_", ":"), part="", reported=Reported(
            code=code.replace("_", ":"), year=2018, value=value, quality="measured", source="s"))
        for code, value in values.items()
    ]  # fmt: skip
    return CityFigures(id=name, name=name, population=population, figures=found)


def line(*cities: CityFigures) -> Line:
    [found] = compare(cities)
    return found


def test_the_weighted_mean_of_the_nist_example() -> None:
    """DATAPLOT Reference Manual (NIST, 1996), page 2-67: nine primes, weights 1 1 0 0 4 1 2 1 0; it prints 5.82 for the
    weighted standard deviation, which holds for this mean only. The mean once more in fractions.
    """
    values, weights = [2, 3, 5, 7, 11, 13, 17, 19, 23], [1, 1, 0, 0, 4, 1, 2, 1, 0]
    mean = Fraction(sum(w * v for v, w in zip(values, weights, strict=True)), sum(weights))
    variance = sum(w * (v - mean) ** 2 for v, w in zip(values, weights, strict=True)) / (Fraction(5, 6) * 10)
    assert float(variance) ** 0.5 == pytest.approx(5.82, abs=0.005)
    assert weighted_mean([float(v) for v in values], [float(w) for w in weights]) == float(mean)


def test_the_slope_of_anscombes_first_set() -> None:
    """Anscombe, The American Statistician 27 (1973), page 19: slope 0.5 as printed; here in fractions."""
    x, y = ([Fraction(str(v)) for v in column] for column in (ANSCOMBE_X, ANSCOMBE_Y))
    mx, my = sum(x) / 11, sum(y) / 11
    exact = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)
    assert exact == Fraction(5501, 11000)
    assert slope(ANSCOMBE_X, ANSCOMBE_Y) == pytest.approx(float(exact), rel=1e-14)


def test_a_region_is_weighted_by_population() -> None:
    found = line(city("big", 90_000, EN_E_E_2C=4000.0), city("small", 10_000, EN_E_E_2C=5000.0))
    assert (found.region.value, found.region.how) == (4100.0, "mean weighted by population")
    assert (found.region.cities, found.region.people, found.region.lowest) == (2, 1.0, 4000.0)
    assert found.ranks == {"big": 1, "small": 2}  # less is better


def test_a_city_without_value_is_left_out_with_a_note() -> None:
    found = line(city("a", 75_000, SC_SH_SA_6C=0.3), city("b", 25_000))
    assert (found.region.value, found.region.people) == (0.3, 0.75)
    assert found.values == {"a": 0.3, "b": None}


def test_counts_are_added_up_even_without_population() -> None:
    found = line(city("a", None, EC_ICT_ICT_5A=78.0), city("b", 10.0, EC_ICT_ICT_5A=22.0))
    assert (found.region.value, found.region.how) == (100.0, "sum")
    assert found.ranks == {}  # nobody says which way is better


def test_equal_values_share_a_rank() -> None:
    assert ranks({"a": 5.0, "b": 7.0, "c": 7.0, "d": 1.0}, "higher") == {"b": 1, "c": 1, "a": 3, "d": 4}


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(1, 1e7)), min_size=1, max_size=20))
def test_a_region_lies_between_its_cities_and_is_the_total_by_head(pairs: list[tuple[float, float]]) -> None:
    values, people = [v for v, _ in pairs], [p for _, p in pairs]
    mean = weighted_mean(values, people)
    assert mean is not None
    assert min(values) * (1 - 1e-9) <= mean <= max(values) * (1 + 1e-9)
    assert mean == pytest.approx(sum(v * p for v, p in pairs) / sum(people))


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.lists(st.integers(1990, 2100), min_size=2, unique=True))
def test_years_on_a_line_have_the_slope_of_the_line(start: float, per_year: float, years: list[int]) -> None:
    values = [start + per_year * (y - 2000) for y in years]
    assert slope([float(y) for y in years], values) == pytest.approx(per_year, abs=1e-6)


def test_a_trend_shows_when_the_target_would_be_reached() -> None:
    found = trend([(2016, 30.0), (2017, 28.0), (2018, 26.0)])
    assert (found.change, found.per_year) == (-2.0, -2.0)
    down = Target(code="EN:EN:AQ:1C", part="no2", value=20.0, direction="lower")
    left = distance(found, down)
    assert (left.distance, left.reached, left.reached_in) == (6.0, False, 2021)
    up = distance(found, msgspec.structs.replace(down, value=40.0, direction="higher"))
    assert (up.distance, up.reached_in) == (14.0, None)  # the line leads away from it
    there = distance(found, msgspec.structs.replace(down, value=26.0))
    assert (there.distance, there.reached, there.reached_in) == (0.0, True, 2018)


def test_one_year_is_no_trend() -> None:
    found = trend([(2018, 26.0)])
    assert (found.change, found.per_year) == (None, None)


def report(store: str, tmp_path: Path, city_id: str | Path, *lines: str) -> None:
    file = tmp_path / "figures.csv"
    file.write_text(HEADER + "\n".join(lines) + "\n")
    run("kpi", "report", city_id, file, "--store", store)


@pytest.fixture
def region(store: str, tmp_path: Path) -> str:
    other = tmp_path / "berga.toml"
    other.write_text(
        '[city]\nid = "berga"\nname = "Berga"\ncountry = "SE"\ntimezone = "Europe/Stockholm"\npopulation = 30000\n'
    )
    report(store, tmp_path, other, "SC:SH:SI:2C,,2018,0.31,,,s,measured", "EN:EN:AQ:1C,no2,2018,12,,,s,measured")
    report(store, tmp_path, "almby", "SC:SH:SI:2C,,2018,0.27,,,s,measured", "SC:SH:SI:2C,,2017,0.25,,,s,measured")
    return store


def test_the_command_compares_all_cities_of_a_store(region: str) -> None:
    text = run("kpi", "compare", "--store", region, "--period", "2018", "--format", "json")
    found: dict[Any, Any] = {(v["code"], v["part"]): v for v in msgspec.json.decode(text)}
    gini = found["SC:SH:SI:2C", ""]
    assert gini["values"] == {"almby": 0.27, "berga": 0.31}
    assert (gini["region"]["value"], gini["region"]["lowest"]) == (None, 0.27)  # a Gini coefficient of both is neither
    assert gini["region"]["how"] == "not aggregated"
    table = run("kpi", "compare", "--store", region, "--period", "2018", "--code", "SC:SH:SI:2C")
    assert "0.27" in table
    assert "not aggregated" in table


def test_the_command_shows_trend_and_distance(region: str, tmp_path: Path) -> None:
    targets = tmp_path / "targets.toml"
    targets.write_text('[[target]]\ncode = "SC:SH:SI:2C"\nvalue = 0.25\ndirection = "lower"\n')
    text = run("kpi", "trend", "--city", "almby", "--store", region, "--code", "SC:SH:SI:2C", "--targets", targets,
               "--format", "csv")  # fmt: skip
    assert text.splitlines()[1] == "SC:SH:SI:2C,,Gini Coefficient,0-1,2,0.27 (2018),0.02,0.02,0.25,0.02,not reached,"


def test_a_format_that_does_not_exist_is_reported(region: str) -> None:
    with pytest.raises(UsageError, match="'yaml' is not a valid format"):
        run("kpi", "trend", "--city", "almby", "--store", region, "--format", "yaml")
