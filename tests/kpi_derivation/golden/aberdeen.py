"""Aberdeen 2018 in memory, in UTC as the expected file has it."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from tests.kpi_derivation.golden.world import Reading, World, at
from tests.replay import recorded


@cache
def readings() -> tuple[Reading, ...]:
    """The stations' readings."""
    rows = recorded.rows(recorded.STATIONS)[1:]
    times = {text: at(text.removesuffix("Z")) for text in {row[0] for row in rows}}
    return tuple(Reading(times[t], device, quantity, float(value)) for t, device, quantity, value, _ in rows)


def devices() -> list[dict[str, Any]]:
    stations = tomllib.loads(recorded.city("aberdeen").read_text())["device"]
    return [d for d in stations if d["kind"] == "air_reference"]


@cache
def world() -> World:
    """The stations and the whole year; a day there is a day in UTC."""
    w = World(devices())
    w.take(r for r in readings() if abs(r.value) < 2000)
    return w
