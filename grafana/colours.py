"""Colours and words by meaning: what a value is called and which colour it has, decided once.

Red and orange mean that somebody has to act; blue is a number that is neither good nor bad; grey means no value. The first
step of every scale is grey and the first real one lies under any value, so that a null is grey and zero is a statement.
Hex and palette names only: Grafana before 8 has no colour `text`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpi_derivation.rules.air.indices import BANDS, EUROPE

GREY, BLUE, GREEN, ORANGE, RED = "#808791", "#5794f2", "#56a64b", "#ff780a", "#e02f44"
YELLOW, VIOLET, FAINT = "#d9a400", "#a352cc", "rgba(128, 128, 128, 0.10)"
BAND_COLOURS = ("#23938b", "#3f9d5f", "#b8870b", "#d9432f", "#a3003f", "#7d2181")
LOWEST = -1e12

Steps = Sequence[tuple[float, str]]

NUMBER: Steps = ((LOWEST, BLUE),)
COUNT_OF_TROUBLE: Steps = ((0, GREEN), (1, ORANGE), (4, RED))
NONE_ALLOWED: Steps = ((0, GREEN), (1, RED))
INDEX: Steps = tuple((float(n), colour) for n, colour in enumerate(BAND_COLOURS, start=1))
INDEX_WORDS = {n: (word, BAND_COLOURS[n - 1]) for n, word in enumerate(BANDS, start=1)}
VERDICT_WORDS = {0: ("no target", GREY), 1: ("off target", ORANGE), 2: ("on target", GREEN)}
VERDICT: Steps = ((0, GREY), (1, ORANGE), (2, GREEN))
CONNECTOR_WORDS = {
    0: ("free", "#5a6b7f"),
    1: ("connected", "#3d71d9"),
    2: ("charging", "#3f9d5f"),
    3: ("fault", "#c4314b"),
}
CONNECTOR: Steps = tuple((float(n), colour) for n, (_, colour) in CONNECTOR_WORDS.items())
# In the order of ingest.fleet.TROUBLE.
TROUBLE_WORDS = {
    0: ("ok", "#3f7d4e"),
    1: ("weak radio", "#b8870b"),
    2: ("ring filling", "#b8870b"),
    3: ("records missing", "#b8870b"),
    4: ("suspect", "#d9730d"),
    5: ("fault", "#c4314b"),
    6: ("silent", "#c4314b"),
    7: ("silent > 1 day", "#a3003f"),
    8: ("never heard", "#7d2181"),
}
TROUBLE: Steps = tuple((float(n), colour) for n, (_, colour) in TROUBLE_WORDS.items())


def band_steps(quantity: str) -> Steps:
    """The European bands of an hourly mean in µg/m³, as steps of a colour scale."""
    return tuple(zip((LOWEST, *(limit + 1e-9 for limit in EUROPE[quantity])), BAND_COLOURS, strict=True))


def thresholds(steps: Steps, base: str = GREY) -> dict[str, Any]:
    """Steps as Grafana writes them, above the grey base."""
    return {
        "mode": "absolute",
        "steps": [{"value": None, "color": base}, *({"value": value, "color": colour} for value, colour in steps)],
    }


def mappings(words: Mapping[int | str, tuple[str, str] | str]) -> list[dict[str, Any]]:
    """A word (and its colour, where it has one) for each value."""
    options = {
        str(value): {"text": word, "index": index}
        if isinstance(word, str)
        else {"text": word[0], "color": word[1], "index": index}
        for index, (value, word) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}] if options else []


KIND_WORDS = {
    "air_reference": "air station",
    "air_lowcost": "low-cost sensor",
    "electricity_meter": "electricity meter",
    "ev_charger": "charger",
    "noise": "noise meter",
    "water_meter": "water meter",
    "heat_meter": "heat meter",
    "weather": "weather station",
    "outage_log": "outage log",
}
