"""Hourly values of devices as columns: what a curve of one device and a map of many are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from api.shared_store import SharedStore
from kpi_derivation.rules.air.calibration import Calibrations
from registry.city import City
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray, IntArray, Series, SeriesTable
from telemetry.windows import HOUR


class Hours(NamedTuple):
    """One row a device, one column an hour from `start` on: value, lowest, highest, readings, flagged."""

    start: int
    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray
    flagged: IntArray


def hours_of(city: City, store: SharedStore, quantity: str, devices: Sequence[str], start: int, end: int) -> Hours:
    """The hours of a quantity in [start, end), UTC ms at full hours: means of what is measured, calibrated; sums of
    amounts; increases of registers. NaN where an hour has none.
    """
    names = set(devices)
    city = city.model_copy(update={"device": [d for d in city.device if d.id in names]})
    table = SeriesTable([Series(city.id, device, quantity) for device in devices])
    calibrations, shape = Calibrations(city, table), (len(devices), (end - start) // HOUR)
    found = Hours(start, *(np.full(shape, np.nan) for _ in range(3)), *(np.zeros(shape, dtype=np.int64) for _ in "ab"))
    wanted = np.arange(len(devices), dtype=np.int64)
    humid = [table.id_of(Series(city.id, d, "humidity")) for d in devices] if calibrations.needing_humidity else []
    ids = np.unique(np.array([*wanted.tolist(), *humid], dtype=np.int64))
    for chunk in store.partials(city.id, "hour", start, end, table, ids):
        _put(found, calibrations.apply(chunk), quantity, len(devices))
    return found


def _put(found: Hours, chunk: Partials, quantity: str, devices: int) -> None:
    mine = chunk.take(chunk.series < devices)
    at = (mine.series, (mine.start - found.start) // HOUR)
    found.n[at], found.flagged[at] = mine.n, mine.flagged
    has = mine.n > 0
    kind = QUANTITIES[quantity].kind
    value = {"counter": mine.increase, "delta": mine.sum}.get(kind, mine.mean if len(mine) else mine.sum)
    found.value[at] = np.where(has, value, np.nan)
    found.low[at], found.high[at] = np.where(has, mine.min, np.nan), np.where(has, mine.max, np.nan)


def plain(values: FloatArray) -> list[float | None]:
    """As JSON: NaN is null; six digits carry more than any sensor has."""
    return [None if np.isnan(v) else float(f"{v:.6g}") for v in values.tolist()]


def gaps(n: IntArray, start: int, least: int = 1) -> list[dict[str, Any]]:
    """Runs of hours without a reading, as hours since the epoch: first and last, and how many."""
    empty = np.concatenate([[0], (n == 0).astype(np.int8), [0]])
    first, after = np.flatnonzero(np.diff(empty) == 1), np.flatnonzero(np.diff(empty) == -1)
    return [
        {"start": start + int(a) * HOUR, "end": start + int(b) * HOUR, "hours": int(b - a)}
        for a, b in zip(first, after, strict=True)
        if b - a >= least
    ]
