"""Every indicator that a city can set a target for: value -> verdict -> the word and the colour that boards show."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from grafana.colours import GREEN, GREY, ORANGE, VERDICT_WORDS
from grafana.definitions import all_dashboards
from ingest import targets
from kpi_derivation.catalogue import KPIS
from kpi_derivation.directions import direction_of
from kpi_derivation.verdicts import goals as goals_of
from registry.city import City
from tests.adapters.stores.samples import kpi

TARGET = 50.0
SHOWN = {
    ("kpis", "Against the city's targets"): "verdict",
    ("city-now", "Indicators against the city's targets, last 365 days"): "verdict",
}


def directed() -> list[tuple[str, str, str]]:
    """Code, part and direction of each figure; the local ones take that of the target."""
    found = list[tuple[str, str, str]]()
    for code, described in KPIS.items():
        for part in described.parts or ("",):
            better = "higher" if described.level == "local" else direction_of(code, part).better
            if better in ("higher", "lower"):
                found.append((code, part, better))
    return found


def city(code: str, part: str, better: str) -> City:
    entry = {"code": code, "part": part, "value": TARGET, "direction": better}
    return City.model_validate(
        {
            "city": {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos"},
            "target": [{k: v for k, v in entry.items() if v != ""}],
        }
    )


boards = cache(all_dashboards)


def shown(board: str, title: str, column: str, verdict: object) -> tuple[str, str]:
    """The word and the colour of the word of a verdict on a board."""
    [panel] = [p for p in boards()[board]["panels"] if p["title"] == title]
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == column:
            options: dict[str, Any] = {}
            for p in override["properties"]:
                if p["id"] == "mappings":
                    options = p["value"][0]["options"][str(verdict)]
            return str(options["text"]), str(options["color"])
    raise AssertionError(f"{board}: {title} has no column {column}")


@pytest.mark.parametrize(("code", "part", "better"), directed())
def test_a_value_beside_its_target_has_its_word_and_its_colour(code: str, part: str, better: str) -> None:
    goals = goals_of(city(code, part, better))
    assert list(goals) == [(code, part)]
    good, bad = (TARGET + 1, TARGET - 1) if better == "higher" else (TARGET - 1, TARGET + 1)
    expected = {good: ("on target", GREEN), TARGET: ("on target", GREEN), bad: ("off target", ORANGE)}
    for value, meaning in expected.items():
        row = kpi(value, code=code, part=part, unit=KPIS[code].unit)
        [point] = targets.rows([row], goals)
        assert {shown(*where, column, point.fields["verdict"]) for where, column in SHOWN.items()} == {meaning}, value
    [nothing] = targets.rows([kpi(None, code=code, part=part, status="insufficient")], goals)
    assert VERDICT_WORDS[int(str(nothing.fields["verdict"]))] == ("no target", GREY)


def test_the_figures_are_many_and_of_both_directions() -> None:
    assert len(directed()) >= 100
    assert {better for _, _, better in directed()} == {"higher", "lower"}
