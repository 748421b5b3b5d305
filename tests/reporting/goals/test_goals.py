"""`kpi goals`: targets of a city file against stored years and months."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kpi_derivation.catalogue import KPIS
from kpi_derivation.directions import direction_of
from reporting.figures.points import all_points
from telemetry.errors import UsageError
from tests.reporting.city import CITY, run

GOAL = """
[[target]]
code = "SC:SH:SA:9C"
value = 50
year = 2030
baseline = 100
baseline_year = 2015
interim = [{ year = 2020, value = 80 }]

[[target]]
code = "SC:SH:SI:1C"
value = 1
year = 2030
source = "equal pay"
"""
HEAD = "code,part,year,value,numerator,denominator,source,quality\n"


@pytest.fixture
def store(tmp_path: Path) -> str:
    city, figures = tmp_path / "city.toml", tmp_path / "figures.csv"
    city.write_text(CITY + GOAL)
    rows = [f"SC:SH:SA:9C,,{year},{value},,,police,measured" for year, value in ((2024, 71), (2025, 70))]
    rows += [f"SC:SH:SI:1C,,{year},{value},,,office,measured" for year, value in ((2020, 0.8), (2025, 0.9))]
    figures.write_text(HEAD + "\n".join(rows) + "\n")
    url = f"sqlite:///{tmp_path}/city.db"
    run("kpi", "report", city, figures, "--store", url)
    return url


def goals(store: str, *words: str) -> list[dict[str, Any]]:
    return list(
        msgspec.json.decode(run("kpi", "goals", "--city", "almby", "--store", store, "--format", "json", *words))
    )


def test_a_goal_has_its_rates_and_verdict(store: str) -> None:
    deaths, pay = goals(store)
    assert deaths["verdict"] == "moderate"
    assert deaths["progress"]["ratio"] == pytest.approx(0.776, abs=5e-4)
    assert deaths["progress"]["interim_met"] is True
    assert (deaths["direction"], deaths["baseline_from"]) == ("lower", "the city file")
    assert (pay["direction"], pay["baseline"], pay["baseline_year"]) == ("nearest", 0.8, 2020)
    assert pay["progress"]["ratio"] == pytest.approx(1.0)
    assert pay["baseline_from"] == "the first stored year"


def test_the_table_states_form_and_verdict(store: str) -> None:
    text = run("kpi", "goals", "--city", "almby", "--store", store)
    assert "moderate" in text
    assert "-4.516 %" in text
    assert "-3.504 %" in text
    assert "growth; interim point met" in text
    assert "targets are the city's own" in text


def test_a_missed_interim_point_stands_in_the_table(store: str, tmp_path: Path) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(GOAL.split('[[target]]\ncode = "SC:SH:SI', maxsplit=1)[0].replace("value = 80", "value = 60"))
    text = " ".join(run("kpi", "goals", "--city", "almby", "--store", store, "--targets", path).split())
    way = 60 * (50 / 60) ** 0.5  # from 60 in 2020 to 50 in 2030, of which half has passed
    assert f"interim point missed: {way:.4g} is on the way" in text


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('code = "EN:EN:AQ:9C"\nvalue = 1', "there is no KPI 'EN:EN:AQ:9C'; did you mean"),
        ('code = "SC:SH:SA:9C"\nvalue = 1\nbaseline = 3', "baseline and baseline_year belong together"),
        ('code = "SC:SH:SA:9C"\nvalue = 1\nbaseline = 3\nbaseline_year = 2030\nyear = 2030', "must follow each other"),
        ('code = "SC:SH:SA:9C"\nvalue = 1\ninterim = [{ year = 2020, value = 8 }]', "interim points need the deadline"),
        ('code = "SC:SH:SA:9C"\nvalue = 1\ndirection = "higher"', "for SC:SH:SA:9C lower is better"),
        ('code = "EC:P:EM:3A"\nvalue = 1', "EC:P:EM:3A needs a direction"),
        ('code = "EC:P:EM:3A"\nvalue = 1\nyears = 3', "years"),
    ],
)  # fmt: skip
def test_a_target_that_does_not_fit_is_a_sentence(store: str, tmp_path: Path, entry: str, sentence: str) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(f"[[target]]\n{entry}\n")
    with pytest.raises(UsageError, match=sentence):
        goals(store, "--targets", str(path))


LOWER = (
    "EN:EN:AQ:1C", "EN:EN:AQ:2C", "EN:EN:WS:2C", "EN:EN:WS:3C", "EN:E:E:2C", "EN:E:E:3C", "EN:E:E:4A",
    "EN:EN:EQ:2A", "EC:I:ES:1C", "EC:I:ES:2C", "EC:I:WS:3C", "EC:P:EM:1C", "EC:P:EM:2C", "EC:I:T:5A", "SC:EH:H:2C",
    "SC:SH:HO:1C", "SC:SH:HO:2A", "SC:SH:SI:2C", "SC:SH:SI:3C", "SC:SH:SA:1C", "SC:SH:SA:2C", "SC:SH:SA:4A",
    "SC:SH:SA:5A", "SC:SH:SA:8C", "SC:SH:SA:9C",
)  # fmt: skip


def test_every_data_point_of_the_91_has_the_direction_of_the_reference() -> None:
    found = {(kpi.code, part): direction_of(kpi.code, part) for kpi, part in all_points()}
    assert len(found) == 112
    assert {code for (code, part), d in found.items() if d.better == "lower" and not _of_parts(code)} == set(LOWER)
    assert {part for (code, part), d in found.items() if code == "EN:EN:WA:1C" and d.better == "lower"} == {
        "landfill", "burnt", "open dump",
    }  # fmt: skip
    assert {(c, p) for (c, p), d in found.items() if not d.better} == {
        ("EC:P:EM:3A", ""), ("EC:P:IN:3A", ""), ("EC:ICT:ICT:5A", ""), ("EN:EN:WA:1C", "incinerated"),
        ("EN:EN:WA:1C", "other"), ("EC:I:T:4A", "para"),
    }  # fmt: skip
    assert found["EC:I:T:4A", "private"].better == "lower"
    assert [point for point, d in found.items() if d.better == "nearest"] == [("SC:SH:SI:1C", "")]
    assert found["EC:I:WS:3C", ""].status == "corrected"


def _of_parts(code: str) -> bool:
    return code in ("EN:EN:WA:1C", "EC:I:T:4A")


def test_the_catalogue_carries_the_directions() -> None:
    assert KPIS["SC:SH:SA:9C"].direction == "lower"
    assert KPIS["EN:EN:WA:1C"].direction == ""  # its parts differ
