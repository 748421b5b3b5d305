"""The history of a scenario: the measured hours without what changed, and the hours made of what is there now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from kpi_derivation.engine.recent import History
from kpi_derivation.engine.runner import Engine
from planning.grid import Grid
from planning.situation import Name, Situation
from registry.city import City, Device
from telemetry.partials import Partials, fold
from telemetry.periods import local_date, midnight
from telemetry.readings import Readings
from telemetry.series import FloatArray, IntArray, Series, SeriesTable

_COLUMNS = ("sum", "min", "max", "first", "last", "increase")


class Nothing:
    """A history without anything in it."""

    def partials(
        self,
        city: str,  # noqa: ARG002 - the shape of History
        level: Literal["window", "hour"],  # noqa: ARG002
        start: int,  # noqa: ARG002
        end: int,  # noqa: ARG002
        table: SeriesTable,  # noqa: ARG002
        series: IntArray | None = None,  # noqa: ARG002
    ) -> Iterator[Partials]:
        """See History."""
        yield from ()


class Changed:
    """A history with series scaled, series with other rows, devices without rows, and more rows."""

    def __init__(
        self,
        history: History,
        scaled: Mapping[Name, float],
        rows: Mapping[Name, Partials],
        gone: set[str],
        more: Partials,
    ) -> None:
        self._history, self._scaled, self._rows, self._gone = history, scaled, rows, gone
        self._more = more.latest()

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """See History."""
        if level == "window":
            return
        given = {table.id_of(Series(city, *name)): part for name, part in self._rows.items()}
        for part in self._history.partials(city, level, start, end, table, series):
            yield self._scale(self._keep(part, set(given), table), table)
        more = [replace(p, series=np.full(len(p), i, dtype=np.int64)) for i, p in given.items()]
        added = Partials.concat([*more, self._more])
        inside = (added.start >= start) & (added.start < end)
        if series is not None:
            inside &= np.isin(added.series, series)
        if inside.any():
            yield added.take(inside).latest()

    def _keep(self, part: Partials, given: set[int], table: SeriesTable) -> Partials:
        gone = [s for s in np.unique(part.series).tolist() if s in given or table[s].device in self._gone]
        return part.take(~np.isin(part.series, gone)) if gone else part

    def _scale(self, part: Partials, table: SeriesTable) -> Partials:
        if not self._scaled:
            return part
        ids = np.unique(part.series).tolist()
        by = {s: self._scaled[key] for s in ids if (key := (table[s].device, table[s].quantity)) in self._scaled}
        if not by:
            return part
        size = np.ones(max(ids) + 1)
        size[list(by)] = list(by.values())
        factor = size[part.series]
        changed = {name: getattr(part, name) * factor for name in _COLUMNS}
        return replace(part, sumsq=part.sumsq * factor**2, **changed)


def added_hours(now: Situation, city: City, table: SeriesTable) -> Partials:
    """The hours of meters with another load and of devices that were added, made by the engine as any other."""
    readings = [_energies(table, city, name, kw * _hours(now), now) for name, kw in sorted(now.loads.items())]
    readings += [_energies(table, city, a.device.id, a.kwh, now) for a in now.added]
    if now.surplus:
        readings.append(_export(table, city, now))
    if not readings:
        return Partials.empty()
    every = Readings.concat(readings)
    windows = fold(every, now.measured.grid.step, table.modulus(every.series))
    return Engine(city, table, Nothing()).absorb(windows)


def _hours(now: Situation) -> float:
    return now.measured.grid.hours


def _energies(table: SeriesTable, city: City, device: str, kwh: FloatArray, now: Situation) -> Readings:
    times, there = now.measured.grid.times(), ~np.isnan(kwh)
    series = table.id_of(Series(city.id, device, "energy_delta"))
    return Readings.of(np.full(int(there.sum()), series), times[there], kwh[there])


EXPORT = "scenario-export"


def export_device() -> Device:
    """The register of what the scenario's roofs feed in."""
    return Device(id=EXPORT, kind="electricity_meter", quantities=("energy_export_total",), smart=False)


def _export(table: SeriesTable, city: City, now: Situation) -> Readings:
    """A register that counts what is fed in; it starts above 0, which a register reports when it restarts."""
    grid = now.measured.grid
    kwh = np.cumsum(sum(now.surplus.values()) * grid.hours) + 1.0
    times = np.append(grid.start, grid.times() + grid.step - 1)
    series = table.id_of(Series(city.id, EXPORT, "energy_export_total"))
    return Readings.of(np.full(len(times), series), times, np.append(1.0, kwh))


def drawn_days(drawn: FloatArray, grid: Grid, zone: ZoneInfo, series: list[int]) -> Partials:
    """One partial a civil day and draw: the day's energy as one interval. Its power is added where demand is read."""
    first, last = local_date(grid.start, zone), local_date(grid.end - 1, zone)
    days: list[date] = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    starts = np.array([midnight(day, zone) for day in days], dtype=np.int64)
    bounds = np.clip((starts - grid.start) // grid.step, 0, grid.slots - 1)
    kwh = np.add.reduceat(drawn, bounds, axis=1) * grid.hours
    every = Readings.of(np.repeat(series, len(days)), np.tile(starts, len(series)), kwh.ravel())
    nothing = np.full(len(every), np.nan)
    return fold(every, 60_000, nothing)
