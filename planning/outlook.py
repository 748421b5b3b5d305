"""What is expected after the stored history: load or a quantity for 48 hours; the month's peak so far. Pure."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from kpi_derivation.engine.recent import History
from planning.forecast import Forecast, PeakSoFar, forecast, peak_so_far
from planning.hours import HourSeries, device_of, hourly
from planning.measured import LoadCurves, engine_over, load_curves
from registry.city import City
from telemetry.errors import UsageError
from telemetry.periods import Period, calendar_period, iso, local_date
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY, HOUR

Level = Literal["window", "hour"]
HISTORY = 400 * DAY
ENOUGH = 0.9  # of the usual number of meters, for a quarter of an hour to be compared with others


class Spanned(History, Protocol):
    """A history with its first and last time."""

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """First and last start of what is stored; None without anything."""
        ...


def load_history(store: Spanned, city: City, now: int) -> HourSeries:
    """Mean power of all meters together, kW, hour by hour, as far as it is known; NaN where over a tenth is missing."""
    span = store.span(city.id, "hour")
    if span is None:
        raise UsageError(f"The store holds no hours of '{city.id}'; run `cityvitals replay` or the ingest first.")
    end = min(now, span[1] + HOUR)
    start = max(end - HISTORY, span[0])
    period = Period("quarter", "the history", start, end)
    curves = load_curves(engine_over(city, store, period, curves=True), period)
    first = curves.grid.start // HOUR * HOUR
    grid_hours = curves.kw.shape[1] // 4
    block = curves.kw[:, : grid_hours * 4].reshape(len(curves.kw), grid_hours, 4)
    there = ~np.isnan(block)
    usual = np.median(there.sum(axis=(0, 2))[there.any(axis=(0, 2))])
    total = np.where(there, block, 0.0).sum(axis=(0, 2)) / 4.0
    values = np.where(there.sum(axis=(0, 2)) >= ENOUGH * usual, total, np.nan)
    return HourSeries(first, values)


def made(store: Spanned, city: City, quantity: str, device: str, now: int, at: int | None) -> tuple[Forecast, str]:
    """The forecast of the city's load (`quantity` load) or of a device, and its unit. Raises UsageError."""
    moment = (now if at is None else at) // HOUR * HOUR
    if quantity == "load":
        series, unit = load_history(store, city, moment), "kW"
    else:
        if not device:
            raise UsageError(f"A forecast of {quantity} is one of a device; name the device.")
        found = device_of(city, device, quantity)
        span = store.span(city.id, "hour")
        end = moment if span is None else min(moment, span[1] + HOUR)
        series = hourly(store, city, found, quantity, (end - HISTORY) // HOUR * HOUR, end)
        unit = QUANTITIES[quantity].unit
    return forecast(series.values, series.start, moment), unit


def peak(store: History, city: City, now: int, limit: float | None) -> PeakSoFar:
    """The running month's peak so far. Raises UsageError."""
    month = calendar_period("month", local_date(now, city.zone), city.zone)
    running = month._replace(end=min(month.end, max(now, month.start + HOUR)))
    curves = load_curves(engine_over(city, store, running), running)
    power = curves.total()[: whole_until(curves, now)]
    return peak_so_far(power, curves.grid.start, curves.grid.step, limit)


def whole_until(curves: LoadCurves, now: int) -> int:
    """The number of slots up to the last one that is over and measured by nearly all meters of its last day.

    The running quarter of an hour, and one whose meters have not all sent yet, would be seen as a load that has fallen.
    Without any such slot it is all of them.
    """
    measured = (~np.isnan(curves.kw)).sum(axis=0)
    measured = measured[: max((now - curves.grid.start) // curves.grid.step, 0)]
    known = np.flatnonzero(measured)
    if not len(known):
        return curves.grid.slots
    last_day = known[known > known[-1] - DAY // curves.grid.step]
    enough = ENOUGH * np.median(measured[last_day])
    return int(last_day[measured[last_day] >= enough][-1]) + 1


def as_plain(found: Forecast, unit: str) -> dict[str, Any]:
    """The forecast as plain JSON types; hours at which it is not shown are null."""
    return {
        "unit": unit,
        "label": "forecast: not measured",
        "hours": [
            {"time": iso(t), "value": None if np.isnan(v) else v, "p90_error": None if np.isnan(e) else e}
            for t, v, e in zip(found.t.tolist(), found.value.tolist(), found.p90.tolist(), strict=True)
        ],
        "scores": [s._asdict() | {"better": s.better} for s in found.scores],
    }
