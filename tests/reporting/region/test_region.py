"""A small country through the commands: import, profile, heat map, peers, twins, index; and input that is wrong."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.stores import existing_store
from reporting.figures.points import all_points
from telemetry.errors import UsageError
from tests.reporting.city import run
from tests.reporting.region.country import RATIO, cities, figures, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("country")
    write(made, cities()[:60], range(2024, 2026))
    return made


@pytest.fixture(scope="module")
def store(folder: Path) -> str:
    url = f"sqlite:///{folder}/country.db"
    text = run("region", "import", folder / "figures.csv", "--cities", folder / "cities.csv", "--targets",
               folder / "targets.toml", "--store", url)  # fmt: skip
    assert text.startswith("13,440 figures of 60 cities for 2024 to 2025 stored, 13,440 new or changed.")
    return url


def answer(*words: str) -> Any:
    return msgspec.json.decode(run(*words, "--format", "json"))


def raw(folder: Path, code: str, year: str = "2025") -> dict[str, dict[str, str]]:
    with (folder / "figures.csv").open() as file:
        return {r["city"]: r for r in csv.DictReader(file) if r["code"] == code and r["year"] == year and not r["part"]}


def test_every_figure_of_every_city_is_stored_as_a_report_would(store: str, tmp_path: Path) -> None:
    run("kpi", "export", "--city", "m001", "--store", store, "--format", "ngsi-ld", "--out", tmp_path / "kpis.json")
    shown = msgspec.json.decode((tmp_path / "kpis.json").read_bytes())
    assert len(shown) == 2 * len(list(all_points()))


def test_the_profile_has_both_readings(store: str, folder: Path) -> None:
    found = {(p["code"], p["part"]): p for p in answer("region", "show", "--store", store, "--period", "2025")}
    assert len(found) == 112
    line, rows = found[RATIO, ""], raw(folder, RATIO)
    numerators, denominators = ([float(r[c]) for r in rows.values()] for c in ("numerator", "denominator"))
    assert line["value"] == pytest.approx(100 * sum(numerators) / sum(denominators))
    shares = [100 * n / d for n, d in zip(numerators, denominators, strict=True)]
    assert line["performance"] == pytest.approx(statistics.fmean(min(s / 60, 1) for s in shares))
    assert line["quartiles"]["median"] == pytest.approx(statistics.median(shares))
    assert (line["reported"], line["cities"], line["scored"], line["people"]) == (60, 60, 60, pytest.approx(1.0))
    assert max(shares) == line["quartiles"]["highest"]
    assert float(rows[line["best"]]["numerator"]) / float(rows[line["best"]]["denominator"]) == max(shares) / 100


def test_a_lower_figure_is_evaluated_the_other_way(store: str, folder: Path) -> None:
    [line] = answer("region", "show", "--store", store, "--period", "2025", "--code", "EC:I:WS:3C")
    values = [float(r["value"]) for r in raw(folder, "EC:I:WS:3C").values()]
    assert line["performance"] == pytest.approx(statistics.fmean(min(20 / v, 1) for v in values))


def test_a_group_is_compared_within_itself(store: str) -> None:
    [line] = answer("region", "show", "--store", store, "--period", "2025", "--code", RATIO, "--group", "kostra-2020/2")
    assert line["cities"] == 18
    with pytest.raises(UsageError, match="No city has group 'kostra-2020/17'"):
        run("region", "show", "--store", store, "--period", "2025", "--group", "kostra-2020/17")


def test_a_city_far_from_its_group_is_named_and_small_groups_are_not_judged(
    store: str, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "more.csv"
    path.write_text("city,code,part,year,value,source,quality\nm010,SC:EH:H:3C,,2024,99999,office,measured\n")
    url = f"sqlite:///{tmp_path}/other.db"
    run("region", "import", folder / "figures.csv", "--cities", folder / "cities.csv", "--store", url)
    assert "1 figures of 1 cities for 2024 stored, 1 new" in run("region", "import", path, "--store", url)
    [line] = answer("region", "show", "--store", url, "--period", "2024", "--code", "SC:EH:H:3C")
    assert "m010" in [f["city"] for f in line["far"]]
    assert line["too_few"] == ["kostra-2020/3"] or "kostra-2020/3" in line["too_few"]
    assert line["performance"] is None  # no target was given


def test_the_heat_map_is_city_by_category(store: str, tmp_path: Path) -> None:
    found = answer("region", "heat-map", "--store", store, "--period", "2025")
    assert (len(found["cities"]), len(found["categories"])) == (60, 22)
    column = found["categories"].index("Air Quality")
    assert all(row[column] in (0.25, 0.5, 0.75, 1.0) for row in found["shares"])
    run("region", "heat-map", "--store", store, "--period", "2025", "--out", tmp_path / "map.svg")
    assert (tmp_path / "map.svg").read_text().count("<rect") == 60 * 22 + 1


def test_peers_are_nearest_first_with_their_variables(store: str) -> None:
    found = answer("region", "peers", "m001", "--store", store, "--limit", "5")
    distances = [d["distance"] for d in found]
    assert distances == sorted(distances)
    assert len(found) == 5
    assert set(found[0]["variables"]) == {
        "population",
        "density",
        "income_per_capita",
        "heating_degree_days",
        "car_share",
    }


def test_twins_are_sorted_by_the_gap(store: str, folder: Path) -> None:
    found = answer("region", "twins", "m001", "m002", "--store", store, "--period", "2025")
    gaps = [g["gap"] for g in found["gaps"]]
    assert gaps == sorted(gaps, reverse=True)
    assert len(gaps) == 6
    water = next(g for g in found["gaps"] if g["code"] == "EC:I:WS:3C")
    a, b = (float(raw(folder, "EC:I:WS:3C")[c]["value"]) for c in ("m001", "m002"))
    assert water["gap"] == pytest.approx(min(20 / b, 1) - min(20 / a, 1))
    assert found["left_out"]["SC:SH:SI:2C"] == "no target is set"
    with pytest.raises(UsageError, match="two different cities"):
        run("region", "twins", "m001", "m001", "--store", store, "--period", "2025")


def test_the_index_states_its_choice_and_gives_intervals(store: str) -> None:
    found = answer("index", "rank", "--store", store, "--period", "2025", "--draws", "200")
    assert "not an official index" in found["note"]
    assert sorted(s["rank"] for s in found["standings"])[0] == 1
    assert all(s["low"] <= s["high"] for s in found["standings"])
    assert sum(s["first"] for s in found["standings"]) == pytest.approx(1.0, abs=0.05)
    text = run("index", "rank", "--store", store, "--period", "2025", "--mean", "geometric", "--draws", "50")
    assert "geometric mean; interval over 50 random weightings" in " ".join(text.split())
    with pytest.raises(UsageError, match="'geometrical' is not a mean; did you mean 'geometric'"):
        run("index", "rank", "--store", store, "--period", "2025", "--mean", "geometrical")


def test_a_year_without_values_is_a_sentence(store: str) -> None:
    with pytest.raises(UsageError, match="No city has a value of 1990 for a figure with a target"):
        run("index", "rank", "--store", store, "--period", "1990")
    assert "no city has a value of this period" in run("region", "show", "--store", store, "--period", "1990")
    with pytest.raises(UsageError, match="'365d' is a rolling period; use a calendar period"):
        run("region", "show", "--store", store, "--period", "365d")


HEAD = "city,code,part,year,value,numerator,denominator,source,quality\n"
GOOD = "m001,SC:SH:SI:4C,,2030,50,,,office,measured\n"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("mXX,SC:SH:SI:4C,,2030,50,,,office,measured\n", r"line 3: there is no city 'mXX'; .*or list it with --cities"),
        ("m002,SC:SH:SI:9C,,2030,50,,,office,measured\n", r"line 3: there is no KPI 'SC:SH:SI:9C'; did you mean"),
        ("m002,SC:SH:SI:4C,,2030,150,,,office,measured\n", r"line 3: m002 SC:SH:SI:4C: 150 is above 100.*range, p118"),
        (GOOD, r"line 3: SC:SH:SI:4C of m001 for 2030 stands in line 2 already"),
        ("m002,2030,SC:SH:SI:4C,,50,,,office,measured\n", r"line 3: there is no KPI '2030'"),
        ("m002,SC:SH:SI:4C,,2030,fifty,,,office,measured\n", r"line 3: value 'fifty'"),
        ("m002,EN:EN:WS:4C,primary,2030,50,,,office,measured\nm002,EN:EN:WS:4C,tertiary,2030,60,,,office,measured\n",
         r"line 4: m002 EN:EN:WS:4C tertiary: .*rule: tertiary <= secondary <= primary, p32"),
    ],
)  # fmt: skip
def test_wrong_rows_are_named_and_nothing_is_stored(store: str, tmp_path: Path, rows: str, sentence: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(HEAD + GOOD + rows)
    before = existing_store(store).newest_change("m001")
    with pytest.raises(UsageError, match=sentence):
        run("region", "import", path, "--store", store)
    assert existing_store(store).newest_change("m001") == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,name,country,timezone\nx1,X,NO,Europe/Oslo\nx1,Y,NO,Europe/Oslo\n", "line 3: city 'x1' is listed twice"),
        ("id,name,country,timezone\nx1,X,NO,Europe/Osla\n", "line 2: timezone: 'Europe/Osla' is not a time zone"),
        ("id,name,country,timezone,populaton\nx1,X,NO,Europe/Oslo,5\n", "unknown column 'populaton'; did you mean"),
        ("id,name,country,timezone,population\nx1,X,NO,Europe/Oslo,many\n", "population 'many' is not a number"),
        ("id,name,country,timezone,group\nx1,X,NO,Europe/Oslo,kostra-2020/99\n", "There is no group 'kostra-2020/99'"),
        ("id,name,country,timezone\n", "contains no city"),
    ],
)
def test_wrong_cities_are_named(store: str, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "cities.csv").write_text(text)
    (tmp_path / "figures.csv").write_text(HEAD + GOOD)
    with pytest.raises(UsageError, match=sentence):
        run("region", "import", tmp_path / "figures.csv", "--cities", tmp_path / "cities.csv", "--store", store)


def test_a_target_of_the_programme_that_names_nothing_is_an_error(store: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "targets.toml").write_text('[[target]]\ncode = "XX:1"\nvalue = 1\n')
    with pytest.raises(UsageError, match="there is no KPI 'XX:1'"):
        run("region", "import", folder / "figures.csv", "--cities", folder / "cities.csv", "--targets",
            tmp_path / "targets.toml", "--store", store)  # fmt: skip


def test_the_made_up_country_has_356_municipalities_of_112_figures() -> None:
    assert len(cities()) == 356
    assert len(figures(cities()[:1], range(2025, 2026))) == 112
