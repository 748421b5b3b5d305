"""Which values are compared, and how a region's value is made of its cities'."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from kpi_derivation.catalogue import DERIVATIONS, KPIS, REGION_RULES, region_rule
from reporting.compare import _trend_line, trend_text, trends
from reporting.comparison import CityFigures, Line, compare
from reporting.figures.figures import Figure
from reporting.figures.points import points
from reporting.figures.reported import Reported
from reporting.scoring import Target
from reporting.targets import score
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.windows import MINUTE
from tests.kpi_derivation.golden.world import World
from tools.kpi_states import CITY, DEVICES, END, START, readings


def figure(code: str, value: float, **changed: Any) -> Figure:
    """A derived figure with the catalogue's method and unit, where nothing else is given."""
    plain: dict[str, Any] = {
        "city": "c", "code": code, "part": "", "period": "2018", "kind": "year", "start": 0, "end": 1, "value": value,
        "unit": KPIS[code].unit, "coverage": 1.0, "status": "final", "n_devices": 1,
        "method": DERIVATIONS[code].method,
    }  # fmt: skip
    return Figure(code=code, part=changed.get("part", ""), derived=KpiValue(**plain | changed))


def reported(code: str, value: float, part: str = "", **changed: Any) -> Figure:
    row = Reported(code=code, part=part, year=2018, value=value, quality="measured", source="s", **changed)
    return Figure(code=code, part=part, reported=row)


def city(name: str, *figures: Figure, population: float = 1000.0, **weights: float) -> CityFigures:
    return CityFigures(id=name, name=name, population=population, figures=figures, weights=weights)


def line(*figures: Figure, populations: tuple[float, ...] = (1000.0, 1000.0)) -> Line:
    names = ("a", "b", "c")
    found = [city(n, f, population=p) for n, f, p in zip(names, figures, populations, strict=False)]
    [only] = compare(found)
    return only


SAIFI, CAIDI = "EC:I:ES:1C", "EC:I:ES:2C"


def test_a_ratio_is_made_of_numerators_and_denominators() -> None:
    """180 interruptions of 900 customers and 120 of 100: 300 of 1,000. Of the cities' people nothing depends."""
    found = line(
        figure(SAIFI, 0.2, numerator=180.0, denominator=900.0), figure(SAIFI, 1.2, numerator=120.0, denominator=100.0),
        populations=(5.0, 9e6),
    )  # fmt: skip
    assert (found.region.value, found.region.cities) == (0.3, 2)
    assert found.region.how == "sum of numerators / sum of denominators"


def test_mean_interruptions_are_weighted_by_interruptions() -> None:
    """600 minutes of 10 and 100 minutes of 40 interruptions: 700 / 50 = 14, neither 80 + 2.5 nor their mean."""
    found = line(
        figure(CAIDI, 60.0, numerator=600.0, denominator=10.0), figure(CAIDI, 2.5, numerator=100.0, denominator=40.0)
    )
    assert found.region.value == 14.0


def test_a_percentage_is_a_percentage_of_the_region() -> None:
    found = line(
        figure("EC:I:WS:3C", 10.0, numerator=10.0, denominator=100.0),
        figure("EC:I:WS:3C", 30.0, numerator=270.0, denominator=900.0),
    )
    assert found.region.value == 28.0


def test_values_stored_without_numerators_make_no_region() -> None:
    found = line(figure(SAIFI, 0.2, numerator=180.0, denominator=900.0), figure(SAIFI, 1.2))
    assert found.region.value is None
    assert "kpi backfill" in found.region.how


def test_sums_highest_and_what_is_not_put_together() -> None:
    def of(code: str, *values: float) -> Any:
        return line(*(figure(code, v) for v in values)).region.value

    assert of("LOCAL:EV:SESSIONS", 3.0, 4.0) == 7.0
    assert of("LOCAL:AQ:EAQI", 3.0, 4.0) == 4.0
    assert of("LOCAL:E:PEAK", 3.0, 4.0) is None
    assert of("LOCAL:E:COINCIDENCE", 0.3, 0.4) is None


def test_air_is_weighted_by_the_people_who_breathe_it() -> None:
    found = line(*(figure("EN:EN:AQ:1C", v, part="no2") for v in (10.0, 40.0)), populations=(3000.0, 1000.0))
    assert (found.region.value, found.region.how) == (17.5, "mean weighted by population")


def test_reported_numerators_go_before_any_weight() -> None:
    """40 of 50 and 10 of 200 streets are 20 %; weighted by people it would be 42.5 %."""
    code = "EC:ICT:T:2C"
    found = line(
        reported(code, 80.0, numerator=40.0, denominator=50.0), reported(code, 5.0, numerator=10.0, denominator=200.0)
    )
    assert found.region.value == 20.0
    without = line(reported(code, 80.0), reported(code, 5.0, numerator=10.0, denominator=200.0))
    assert without.region.value == 42.5
    assert "an approximation" in without.region.how


def test_reported_numerators_go_before_the_population_of_the_city_file() -> None:
    """300 of 3 and 10 of 1 hundred thousand: 77.5 for every 100,000, whatever the city files say of people."""
    code = "SC:SH:SA:6C"
    found = line(
        reported(code, 100.0, numerator=300.0, denominator=3.0), reported(code, 10.0, numerator=10.0, denominator=1.0)
    )
    assert found.region.value == 77.5


def test_yes_or_no_is_the_share_of_the_cities() -> None:
    found = line(reported("SC:SH:SA:3A", 1.0), reported("SC:SH:SA:3A", 0.0), populations=(10.0, 90.0))
    assert (found.region.value, found.region.how) == (0.5, "plain mean of the cities' values")


def test_each_part_has_its_own_rule() -> None:
    number = line(*(reported("EC:ICT:PS:1A", v, "number") for v in (30.0, 12.0)))
    percent = line(*(reported("EC:ICT:PS:1A", v, "percent") for v in (30.0, 12.0)))
    assert (number.region.value, percent.region.value) == (42.0, 21.0)


@pytest.mark.parametrize("code", KPIS)
def test_every_kpi_declares_how_a_regions_value_is_made(code: str) -> None:
    kpi = KPIS[code]
    assert len(kpi.region) in (1, len(kpi.parts))
    for _, part in points(kpi):
        assert region_rule(kpi, part) in REGION_RULES


@pytest.fixture(scope="module")
def whole() -> dict[tuple[str, str], KpiValue]:
    world = World(DEVICES, {}, **CITY)
    world.take(readings(1.0))
    return world.values("2023", END + 400 * 24 * 3_600_000)


@pytest.mark.parametrize("code", sorted(DERIVATIONS))
def test_a_ratios_value_is_its_numerator_over_its_denominator(
    code: str, whole: dict[tuple[str, str], KpiValue]
) -> None:
    assert START < END
    mine = [v for (c, _), v in whole.items() if c == code and v.value is not None]
    assert mine
    for v in mine:
        if region_rule(KPIS[code], v.part) == "ratio" or code == "LOCAL:E:COINCIDENCE":
            assert v.numerator is not None
            assert v.denominator
            assert v.value == pytest.approx((100.0 if v.unit == "%" else 1.0) * v.numerator / v.denominator, rel=1e-12)
        else:
            assert (v.numerator, v.denominator) == (None, None)


DIFFERENT = {
    "methods differ: coincidence/3 at 15 min, coincidence/3 at 30 min": (
        figure("LOCAL:E:COINCIDENCE", 0.28, method="coincidence/3 at 15 min"),
        figure("LOCAL:E:COINCIDENCE", 0.34, method="coincidence/3 at 30 min"),
    ),
    "methods differ: saifi/1, saifi/2": (
        figure(SAIFI, 0.2, method="saifi/1", numerator=1.0, denominator=5.0),
        figure(SAIFI, 0.4, numerator=2.0, denominator=5.0),
    ),
    "kinds of stations differ: indicative instruments, reference instruments": (
        figure("EN:EN:AQ:1C", 9.0, part="pm2_5"),
        figure("EN:EN:AQ:1C", 7.0, part="pm2_5", notes="indicative: low-cost sensors"),
    ),
    "origins differ: derived, reported": (
        figure(SAIFI, 0.2, numerator=1.0, denominator=5.0), reported(SAIFI, 0.4, numerator=2.0, denominator=5.0)
    ),
    "units differ: kWh/capita, kWh/yr/capita": (
        figure("EN:E:E:2C", 900.0, numerator=9.0, denominator=1.0),
        figure("EN:E:E:2C", 70.0, unit="kWh/capita", numerator=9.0, denominator=1.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", DIFFERENT)
def test_values_that_do_not_mean_the_same_are_neither_ranked_nor_put_together(said: str) -> None:
    found = line(*DIFFERENT[said])
    assert said in found.notes
    assert (found.region.value, found.region.how, found.ranks) == (None, "not comparable", {})
    assert None not in found.values.values()  # both are shown


@pytest.mark.parametrize("said", DIFFERENT)
def test_a_trend_leaves_out_the_years_that_are_not_comparable_with_the_newest(said: str) -> None:
    old, new = DIFFERENT[said]
    found = _trend_line([(2016, old), (2017, new), (2018, new)], None)
    assert (found.trend.years, found.trend.change) == (2, 0.0)
    assert found.notes == (f"2016 is left out: {said}",)


def years_of_charging(folder: Path, *years: tuple[int, float, str]) -> SqliteStore:
    """A store with (year, kWh, status)."""
    store = SqliteStore(folder / "s.db")
    city_file = {"id": "c", "name": "C", "country": "NO", "timezone": "Europe/Oslo"}
    store.put_city(CityRecord("c", {"city": city_file}, MINUTE))
    values = [
        figure("LOCAL:EV:ENERGY", value, period=str(y), status=status, start=y, end=y + 1).derived
        for y, value, status in years
    ]
    store.put_kpis([StoredKpi(kpi=v, changed=1) for v in values if v])
    return store


def test_a_trend_names_the_years_of_which_only_a_part_was_measured(tmp_path: Path) -> None:
    store = years_of_charging(tmp_path, (2018, 90.0, "final"), (2019, 100.0, "final"), (2020, 9.0, "partial"))
    [found] = trends(store, "c", [], None)
    assert (found.trend.year, found.trend.change) == (2019, 10.0)
    assert found.notes == ("2020 is left out: measured in a part of the year only",)


def test_parts_of_years_are_no_trend_and_the_table_says_so(tmp_path: Path) -> None:
    """One charger of 2018, and January of 2020, once made a trend of -56,235 kWh."""
    found = trends(years_of_charging(tmp_path, (2018, 151.0, "partial"), (2020, 15553.5, "partial")), "c", [], None)
    assert found == []
    assert "A year measured only in part is in no trend" in trend_text(found, "table", 100)
    assert trend_text(found, "json", 100).strip() == "[]"


def test_sums_of_different_coverage_make_no_rank_and_no_trend() -> None:
    """A year of which a fifth was not read is a fifth lower, not better; of a mean that says little."""
    energy, days = "LOCAL:E:METERED", "LOCAL:AQ:WHO_DAYS"
    less, whole = figure(energy, 80.0, coverage=0.8), figure(energy, 100.0)
    made = _trend_line([(2017, less), (2018, whole)], None)
    assert (made.trend.years, made.trend.change) == (1, None)
    assert made.notes == ("2017 is left out: coverages of a sum differ: 80 to 100 %",)
    found = line(figure(days, 8.0, part="no2", coverage=0.8), figure(days, 10.0, part="no2"))
    assert (found.ranks, found.notes) == ({}, ("coverages of a sum differ: 80 to 100 %",))
    air = [figure("EN:EN:AQ:1C", v, part="no2", coverage=c) for v, c in ((20.0, 0.8), (22.0, 1.0))]
    assert line(*air).ranks == {"a": 1, "b": 2}
    assert _trend_line([(2017, air[0]), (2018, air[1])], None).trend.change == 2.0


def test_the_sum_of_a_running_year_is_not_scored_against_a_target_of_a_year() -> None:
    code = "EN:E:E:4A"
    wanted = {(code, ""): Target(code=code, value=100.0, direction="lower")}
    running, over = (figure(code, 60.0, status=status) for status in ("provisional", "final"))
    assert not score([running], wanted).items
    assert score([over], wanted).items[code, ""].points == 4
    air = {("EN:EN:AQ:1C", "no2"): Target(code="EN:EN:AQ:1C", part="no2", value=20.0, direction="lower")}
    assert score([figure("EN:EN:AQ:1C", 18.0, part="no2", status="provisional")], air).items  # a mean does not grow


def test_a_value_of_a_part_of_the_period_is_compared_with_none() -> None:
    found = line(figure("LOCAL:EV:ENERGY", 3.0), figure("LOCAL:EV:ENERGY", 4.0, status="partial"))
    assert (found.values, found.region.value) == ({"a": 3.0, "b": None}, 3.0)


def test_the_number_of_meters_stands_beside_coincidence_factors() -> None:
    found = line(figure("LOCAL:E:COINCIDENCE", 0.2, n_devices=300), figure("LOCAL:E:COINCIDENCE", 0.4, n_devices=20))
    assert found.notes == ("of 20 to 300 meters: the factor falls with the number of meters",)
