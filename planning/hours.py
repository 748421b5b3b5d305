"""Hourly values of a series out of the stored hours, for effects and forecasts. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.recent import History
from registry.city import City, Device
from telemetry.errors import UsageError, nearest
from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray, Series, SeriesTable
from telemetry.windows import HOUR


class HourSeries(NamedTuple):
    """Means of whole hours from `start` (UTC ms) on, NaN where there are fewer readings than the rule requires."""

    start: int
    values: FloatArray

    def times(self) -> IntArray:
        """The start of each hour, UTC ms."""
        return self.start + HOUR * np.arange(len(self.values), dtype=np.int64)


def device_of(city: City, name: str, quantity: str) -> Device:
    """The registered device that measures the quantity. Raises UsageError."""
    known = {d.id: d for d in city.device if quantity in d.quantities}
    if name not in known:
        measured = f"'{name}' does not measure {quantity} in '{city.id}'" if known else f"no device measures {quantity}"
        raise UsageError(f"{measured}; {nearest(name, known) if known else 'check the quantity.'}")
    return known[name]


def hourly(history: History, city: City, device: Device, quantity: str, start: int, end: int) -> HourSeries:
    """The hours of a series in [start, end); an hour counts by the rule `hour_capture`.

    Of an interval energy the sum of the hour, of a gauge the mean.
    """
    table = SeriesTable()
    series = table.id_of(Series(city.id, device.id, quantity))
    read = history.partials(city.id, "hour", start, end, table, np.array([series]))
    found = Partials.concat([part.take(part.series == series) for part in read]).latest()
    out = np.full(max((end - start) // HOUR, 0), np.nan)
    if len(found):
        stands = HOUR if device.interval_s is None else device.interval_s * 1000.0
        enough = np.minimum(found.n * stands, HOUR) >= city.rules.hour_capture * HOUR
        keep = (found.n > 0) & (enough | (device.interval_s is None))
        place = (found.start - start) // HOUR
        keep &= (place >= 0) & (place < len(out))
        value = found.sum if quantity == "energy_delta" else found.mean
        out[place[keep]] = value[keep]
    return HourSeries(start, out)


def daily(hours: HourSeries, day_starts: IntArray, least: int = 18, total: bool = False) -> FloatArray:
    """Means (or totals, scaled to the whole day) of civil days, NaN with fewer than `least` hours."""
    out = np.full(len(day_starts) - 1, np.nan)
    places = (day_starts - hours.start) // HOUR
    for i, (a, b) in enumerate(zip(places[:-1].tolist(), places[1:].tolist(), strict=True)):
        part = hours.values[max(a, 0) : b]
        there = part[~np.isnan(part)]
        if len(there) >= least:
            out[i] = there.mean() * ((b - a) if total else 1)
    return out
