"""Calibration: versioned entries of the registry, applied to hours above the raw store; and the fit that makes them.

corrected = gain * raw + offset + humidity * RH, RH in % of the same device and hour. The raw readings stay as they
are, so another entry re-derives history. An hour takes the newest entry valid at its start; without one it is raw.
Where an entry needs a humidity that is missing, the hour has no value.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from registry.city import Calibration, City, Device
from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray, Series, SeriesTable


class Fit(NamedTuple):
    """gain, offset, humidity coefficient; r2 and root mean square error of the fit; number of pairs."""

    gain: float
    offset: float
    humidity: float
    r2: float
    rmse: float
    n: int


def valid_from(entry: Calibration) -> int:
    """Ms UTC from which an entry holds; a time without offset is UTC."""
    moment = datetime.fromisoformat(entry.valid_from)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def entries(device: Device, quantity: str) -> list[Calibration]:
    """A quantity's entries of a device, oldest first; of two with one time the higher version is the later."""
    mine = [e for e in device.calibration if e.quantity == quantity]
    return sorted(mine, key=lambda e: (valid_from(e), e.version))


def used(device: Device, quantity: str, start: int, end: int) -> list[Calibration]:
    """The entries that hold at some time in [start, end)."""
    mine = entries(device, quantity)
    starts = [valid_from(e) for e in mine]
    ends = [*starts[1:], 1 << 62][: len(mine)]
    return [e for e, a, b in zip(mine, starts, ends, strict=True) if a < end and b > start]


class Calibrations:
    """The entries of a city, ready to be applied."""

    def __init__(self, city: City, table: SeriesTable) -> None:
        self._city, self._table = city, table
        self._entries = {
            (d.id, q): entries(d, q) for d in city.device for q in sorted({e.quantity for e in d.calibration})
        }
        self.needing_humidity = {
            d: [q for (device, q), es in self._entries.items() if device == d and any(e.humidity for e in es)]
            for d, _ in self._entries
        }

    def __bool__(self) -> bool:
        return bool(self._entries)

    def humidity_of(self, series: IntArray) -> IntArray:
        """The humidity series that the correction of these needs."""
        names = [self._table[int(i)] for i in series]
        needed = [n for n in names if n.quantity in self.needing_humidity.get(n.device, ())]
        return np.array([self._table.id_of(Series(n.city, n.device, "humidity")) for n in needed], dtype=np.int64)

    def apply(self, hours: Partials) -> Partials:
        """The hours with corrected sums; `hours` holds the humidity too. Sorted by (series, start)."""
        if not self._entries or not len(hours):
            return hours
        n, total = hours.n.copy(), hours.sum.copy()
        for series in np.unique(hours.series).tolist():
            name = self._table[series]
            for entry, rows in _valid(self._entries.get((name.device, name.quantity), []), hours, series):
                rh = self._humidity(hours, name, hours.start[rows]) if entry.humidity else np.zeros(len(rows))
                total[rows] = entry.gain * total[rows] + n[rows] * (entry.offset + entry.humidity * rh)
                n[rows[np.isnan(rh)]] = 0
        return replace(hours, n=n, sum=np.nan_to_num(total))

    def _humidity(self, hours: Partials, name: Series, starts: IntArray) -> FloatArray:
        """Mean relative humidity of the same device at these hours; NaN where there is none."""
        number = self._table.id_of(Series(name.city, name.device, "humidity"))
        part = hours.take(hours.series == number)
        if not len(part):
            return np.full(len(starts), np.nan)
        at = np.minimum(np.searchsorted(part.start, starts), len(part) - 1)
        return np.where(part.start[at] == starts, part.mean[at], np.nan)


def _valid(found: list[Calibration], hours: Partials, series: int) -> list[tuple[Calibration, IntArray]]:
    """Each entry with the rows of the series in which it holds."""
    if not found:
        return []
    rows = np.flatnonzero(hours.series == series)
    newest = np.searchsorted(np.array([valid_from(e) for e in found]), hours.start[rows], side="right") - 1
    return [(e, rows[newest == i]) for i, e in enumerate(found) if (newest == i).any()]


def fit(raw: FloatArray, reference: FloatArray, humidity: FloatArray | None = None) -> Fit:
    """Least squares of reference = gain * raw + offset (+ humidity * RH) over the pairs where all are there.

    Raises ValueError with fewer than 24 pairs, or where raw values do not differ.
    """
    columns = [raw, np.ones(len(raw))] + ([] if humidity is None else [humidity])
    ok = ~np.isnan(np.column_stack([*columns, reference])).any(axis=1)
    if ok.sum() < 24:
        raise ValueError(f"{int(ok.sum())} hours in which all were measured; a fit needs at least 24")
    x, y = np.column_stack(columns)[ok], reference[ok]
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("the readings do not differ, so no line can be fitted")
    found = np.linalg.lstsq(x, y, rcond=None)[0]
    rest = y - x @ found
    spread = float(((y - y.mean()) ** 2).sum())
    r2 = 1.0 - float((rest**2).sum()) / spread if spread else float("nan")
    coefficient = float(found[2]) if humidity is not None else 0.0
    return Fit(float(found[0]), float(found[1]), coefficient, r2, float(np.sqrt((rest**2).mean())), int(ok.sum()))
