"""Targets and the city snapshot."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from kpi_derivation.catalogue import KPIS
from registry.target import TargetEntry
from reporting.figures.figures import Figure, figures
from reporting.figures.reported import Reported
from reporting.scoring import Target
from reporting.targets import score, targets
from reporting.wheel import COLOURS, snapshot, wedges
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiValue
from tests.reporting.city import run

SVG = "{http://www.w3.org/2000/svg}"
EDUCATION = {"SC:EH:ED:1C": 10.0, "SC:EH:ED:2C": 50.0, "SC:EH:ED:3C": 60.0, "SC:EH:ED:4C": 10.0}


def reported(values: dict[str, float]) -> list[Figure]:
    """All figures, of which these are reported."""
    return [
        Figure(code=f.code, part=f.part, reported=Reported(code=f.code, year=2018, value=values[f.code],
                                                            quality="measured", source="s"))
        if f.code in values else f
        for f in figures([])
    ]  # fmt: skip


def of_60(codes: dict[str, float]) -> dict[tuple[str, str], Target]:
    return {(c, ""): Target(code=c, value=60.0, direction="higher") for c in codes}


def test_education_with_1_3_4_and_1_points_is_56_25_percent_on_the_wheel() -> None:
    found = reported(EDUCATION)
    scores = score(found, of_60(EDUCATION))
    assert scores.categories["Education"].share == 0.5625
    assert scores.sub_dimensions["Education, Health and Culture"].share == 0.5625
    assert scores.dimensions["Society and Culture"].band == 2
    [education] = [w for w in wedges(found, scores) if w.name == "Education"]
    assert education.sentence == "Education: 56.25 % (band 33-66 %, 4 scored figures); 4 of 4 figures reported"


def test_the_wheel_has_22_categories_and_112_figures() -> None:
    found = wedges(reported({}), score(reported({}), {}))
    assert len(found) == 22
    assert sum(w.figures for w in found) == 112
    assert all(w.score.share is None for w in found)


def test_the_picture_says_in_words_what_it_shows() -> None:
    found = reported(EDUCATION)
    root = ET.fromstring(snapshot("Ål & Bø", "2018", found, score(found, of_60(EDUCATION))))
    assert root.findtext(f"{SVG}title") == "Ål & Bø, 2018: city snapshot"
    words = root.findtext(f"{SVG}desc") or ""
    assert "Education: 56.25 %" in words
    assert "targets are the city's own, not the publisher's" in words
    assert len(root.findall(f"{SVG}g/{SVG}title")) == 22
    assert root.get("role") == "img"


def test_the_band_is_a_length_and_not_only_a_colour() -> None:
    found = reported({"EC:ICT:ICT:2C": 84.51})
    picture = snapshot("Karmoy", "2020", found, score(found, of_60({"EC:ICT:ICT:2C": 0})))
    assert picture.count(f'fill="{COLOURS[4]}"') == 4 + 1  # four cells and the legend
    assert picture.count(f'fill="{COLOURS[1]}"') == 1


def test_a_city_without_targets_is_not_scored_but_shown() -> None:
    assert "nothing is scored: no targets are set" in snapshot("X", "2018", figures([]), score(figures([]), {}))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"code": "EC:ICT:ICT:9C", "value": 1}, r"number 1: there is no KPI 'EC:ICT:ICT:9C'; did you mean"),
        ({"code": "EC:P:EM:3A", "value": 60}, "needs a direction"),
        ({"code": "EC:ICT:WS:1C", "value": 60, "direction": "lower"}, "higher is better; remove direction"),
        ({"code": "EC:ICT:WS:1C", "value": 0}, "set a value above 0"),
        ({"code": "EN:EN:AQ:1C", "value": 10}, "name one in part"),
    ],
)
def test_a_target_that_cannot_be_used_is_reported(entry: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        targets([TargetEntry.model_validate(entry)])


def test_a_value_in_a_unit_of_its_own_is_not_scored() -> None:
    value = KpiValue(
        city="c", code="EN:E:E:2C", part="", period="2018-01", kind="month", start=0, end=1, value=300.0,
        unit="kWh/capita", coverage=1.0, status="final", n_devices=9, method="m",
    )  # fmt: skip
    wanted = targets([TargetEntry(code="EN:E:E:2C", value=4000)])
    assert score(figures([value]), wanted).items == {}
    year = msgspec.structs.replace(value, unit="kWh/yr/capita")
    assert score(figures([year]), wanted).items["EN:E:E:2C", ""].points == 4
    for part in ({"coverage": 0.9}, {"method": "m (partial)"}, {"notes": "coverage of registered meters only: x"}):
        assert score(figures([msgspec.structs.replace(year, **part)]), wanted).items == {}


def test_two_targets_of_one_figure_are_refused() -> None:
    entry = TargetEntry(code="EN:EN:AQ:1C", part="PM2.5", value=10)
    with pytest.raises(UsageError, match="has two targets"):
        targets([entry, entry])


def test_local_kpis_may_have_targets_but_are_in_no_category() -> None:
    code = next(code for code, kpi in KPIS.items() if kpi.level == "local")
    wanted = targets([TargetEntry(code=code, value=5, direction="higher")])
    assert wanted[code, ""].value == 5
    assert score(reported({}), wanted).items == {}


def test_the_command_draws_with_the_targets_of_a_file(filled: str, tmp_path: Path) -> None:
    wanted = tmp_path / "targets.toml"
    wanted.write_text('[[target]]\ncode = "EN:EN:AQ:1C"\npart = "no2"\nvalue = 20\nsource = "plan"\n')
    out = tmp_path / "almby.svg"
    run("kpi", "snapshot", "--city", "almby", "--store", filled, "--period", "2018-01", "--targets", wanted,
        "--out", out)  # fmt: skip
    text = out.read_text()
    assert "Air Quality: 100 % (band 95+ %, 1 scored figures); 2 of 6 figures reported" in text
