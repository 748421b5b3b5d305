"""A large city is worked on in parts, so that what it takes for a moment does not grow with it; no bit changes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal

import numpy as np
import pytest

from kpi_derivation.engine import hour_maker
from kpi_derivation.engine.days import demand, folding, rolling
from kpi_derivation.engine.recent import Recent
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at

FIRST = at("2020-03-02")
KINDS = [("electricity_meter", "energy_total"), ("electricity_meter", "energy_delta"), ("air_reference", "no2")]


def _city(devices: int) -> World:
    names = [(f"d{n}", *KINDS[n % len(KINDS)]) for n in range(devices)]
    return World([{"id": name, "kind": kind, "quantities": [quantity]} for name, kind, quantity in names])


def _run(seed: int) -> tuple[World, list[KpiValue]]:
    """Two days and a half of 17 devices: most readings live, some late by an hour or a day."""
    draw, world, values = np.random.default_rng(seed), _city(17), list[KpiValue]()
    for turn in range(0, 60, 4):
        now = FIRST + turn * HOUR
        late = draw.choice([0, 0, 0, HOUR, DAY], 120)
        times, devices = now - late + draw.integers(0, 4 * HOUR, 120), draw.integers(0, 17, 120)
        given = [(int(t), int(d), float(v)) for t, d, v in zip(times, devices, draw.random(120), strict=True)]
        world.take(
            Reading(t, f"d{d}", KINDS[d % 3][1], (t - FIRST + DAY) / HOUR if d % 3 == 0 else v) for t, d, v in given
        )
        values += world.engine.evaluate(now + 4 * HOUR)
    return world, values


@pytest.mark.parametrize("seed", range(2))
def test_the_size_of_the_parts_changes_no_bit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, expected = _run(seed)
    for module, size in ((hour_maker, 3), (folding, 1), (demand, 2), (rolling, 2)):
        monkeypatch.setattr(module, "_AT_ONCE", size)
    monkeypatch.setattr(folding, "_LEAST", 3)
    monkeypatch.setattr(demand, "_IDLE", 1)
    parts, found = _run(seed)
    assert found == expected
    assert any(value.value for value in found)
    for level in ("hour", "window"):
        a, b = whole.memory.levels[level], parts.memory.levels[level]
        names = [[world.table[s] for s in world.memory.levels[level].series.tolist()] for world in (whole, parts)]
        assert sorted(names[0]) == sorted(names[1])
        order = [
            np.lexsort((p.start, np.unique(n, axis=0, return_inverse=True)[1]))
            for p, n in zip((a, b), names, strict=True)
        ]
        for field in fields(Partials):
            if field.name != "series":
                assert getattr(a, field.name)[order[0]].tobytes() == getattr(b, field.name)[order[1]].tobytes()


def _meters(count: int, hours: int) -> World:
    """Meters, a reading every ten minutes."""
    world = World([{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_total"]} for n in range(count)])
    ids = np.array([world.table.id_of(Series("c", f"m{n}", "energy_total")) for n in range(count)])
    for hour in range(hours):
        t = FIRST + hour * HOUR + 10 * MINUTE * np.arange(6)
        series, times = np.repeat(ids, 6), np.tile(t, count)
        readings = Readings.of(series, times, ((times - FIRST) / HOUR + series).tolist())
        world.engine.absorb(fold(readings, MINUTE, world.table.modulus(series)))
        world.engine.evaluate(int(t[-1]))
    return world


def test_an_hour_of_many_meters_takes_little_for_a_moment() -> None:
    count = 8_000
    world = _meters(count, 4)
    series = np.arange(count)
    readings = Readings.of(series, np.full(count, FIRST + 3 * HOUR + 55 * MINUTE), (series + 9.0).tolist())
    windows = fold(readings, MINUTE, world.table.modulus(series))
    tracemalloc.start()
    try:
        world.engine.absorb(windows)
        world.engine.evaluate(FIRST + 4 * HOUR + 9 * MINUTE)  # a new rolling day, too
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 60e6, most


def test_the_rolling_day_is_in_memory_when_an_hour_has_just_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    world, read = _meters(3, 1), list[str]()
    partials = world.memory.partials

    def noted(city: str, level: Literal["window", "hour"], *rest: Any) -> Iterator[Partials]:
        read.append(level)
        return partials(city, level, *rest)

    monkeypatch.setattr(world.memory, "partials", noted)
    for minute in range(0, 26 * 60, 5):
        t = FIRST + HOUR + minute * MINUTE
        world.take([Reading(t, "m1", "energy_total", 9000.0 + minute)])
        if minute % 60 < 10:
            world.engine.evaluate(t + MINUTE)
    assert read.count("hour") == 0


def test_quarters_take_a_fifth_of_their_columns() -> None:
    table = SeriesTable(Series("c", f"m{n}", "demand_15min") for n in range(1000))
    series, draw = np.repeat(np.arange(1000), 24), np.random.default_rng(1)
    start = np.tile(FIRST + 15 * MINUTE * np.arange(24), 1000)
    first, last = (
        start + draw.integers(0, 10_000, len(start)),
        start + 15 * MINUTE - draw.integers(1, 10_000, len(start)),
    )
    last[::500] -= 12 * MINUTE  # where the meter was out of reach
    kwh, nothing = draw.random(len(start)), np.full(len(start), np.nan)
    quarters = Partials(
        series, start, np.full(len(start), 90), kwh, kwh, kwh, kwh * kwh, first, nothing, last, nothing, nothing,
        np.zeros(len(start), dtype=np.int64), draw.integers(0, 2000, len(start)),
    )  # fmt: skip
    recent = Recent(World([]).memory, "c", "hour", table, keep=2 * DAY)
    recent.start(FIRST)
    recent.add(quarters)
    assert recent.bytes() < 19 * len(quarters)
    found = Partials.concat(list(recent.read(FIRST, FIRST + DAY)))
    for field in fields(Partials):
        assert getattr(found, field.name).tobytes() == getattr(quarters, field.name).tobytes()
