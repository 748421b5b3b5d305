"""`cityvitals forecast`: history out of the store, the next 48 hours with their measured error as text or JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import numpy as np

from adapters.store import Store
from planning.forecast import Forecast, PeakSoFar, forecast, peak_so_far
from planning.hours import HourSeries, device_of, hourly
from planning.measured import engine_over, load_curves
from registry.city import City
from reporting.show import stored_city
from telemetry.errors import UsageError
from telemetry.periods import Period, calendar_period, iso, local_date
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY, HOUR

HISTORY = 400 * DAY


def load_history(store: Store, city: City, now: int) -> HourSeries:
    """Mean power of all meters together, kW, hour by hour, as far as it is known; NaN where over a tenth is missing."""
    span = store.span(city.id, "hour")
    if span is None:
        raise UsageError(f"The store holds no hours of '{city.id}'; run `cityvitals replay` or the ingest first.")
    end = min(now, span[1] + HOUR)
    start = max(end - HISTORY, span[0])
    period = Period("quarter", "the history", start, end)
    curves = load_curves(engine_over(city, store, period), period)
    first = curves.grid.start // HOUR * HOUR
    grid_hours = curves.kw.shape[1] // 4
    block = curves.kw[:, : grid_hours * 4].reshape(len(curves.kw), grid_hours, 4)
    there = ~np.isnan(block)
    usual = np.median(there.sum(axis=(0, 2))[there.any(axis=(0, 2))])
    total = np.where(there, block, 0.0).sum(axis=(0, 2)) / 4.0
    values = np.where(there.sum(axis=(0, 2)) >= 0.9 * usual, total, np.nan)
    return HourSeries(first, values)


def made(store: Store, city_id: str, quantity: str, device: str, now: int, at: int | None) -> tuple[Forecast, str]:
    """The forecast of the city's load (`quantity` load) or of a device, and its unit. Raises UsageError."""
    city = stored_city(store, city_id)
    moment = (now if at is None else at) // HOUR * HOUR
    if quantity == "load":
        series, unit = load_history(store, city, moment), "kW"
    else:
        if not device:
            raise UsageError(f"A forecast of {quantity} is one of a device; name it with --device.")
        found = device_of(city, device, quantity)
        span = store.span(city.id, "hour")
        end = moment if span is None else min(moment, span[1] + HOUR)
        series = hourly(store, city, found, quantity, (end - HISTORY) // HOUR * HOUR, end)
        unit = QUANTITIES[quantity].unit
    return forecast(series.values, series.start, moment), unit


def peak(store: Store, city_id: str, now: int, limit: float | None) -> PeakSoFar:
    """The running month's peak so far. Raises UsageError."""
    city = stored_city(store, city_id)
    month = calendar_period("month", local_date(now, city.zone), city.zone)
    running = month._replace(end=min(month.end, max(now, month.start + HOUR)))
    curves = load_curves(engine_over(city, store, running), running)
    there = ~np.isnan(curves.kw)
    total = np.where(there.any(axis=0), np.where(there, curves.kw, 0.0).sum(axis=0), np.nan)
    return peak_so_far(total, curves.grid.start, curves.grid.step, limit)


def moment_of(text: str, city: City) -> int:
    """UTC ms of a date, midnight in the city. Raises UsageError."""
    try:
        return calendar_period("day", date.fromisoformat(text), city.zone).start
    except ValueError:
        raise UsageError(f"'{text}' is not a date; write it like 2018-07-01.") from None


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


def as_json(found: Forecast, unit: str) -> str:
    """The forecast as JSON."""
    return msgspec.json.format(msgspec.json.encode(as_plain(found, unit)), indent=2).decode() + "\n"


def as_text(found: Forecast, unit: str) -> str:
    """The scores, and every third hour."""
    lines = [f"mean absolute error of past forecasts, {unit}, against the same hour of the week before", ""]
    lines.append("  hours ahead     model     naive   shown")
    for s in found.scores:
        shown = "yes" if s.better else "no, the week before is better"
        lines.append(f"  {s.first:4d} to {s.last:2d} {s.model:12.3f} {s.naive:9.3f}   {shown}")
    lines += ["", f"  time                     {unit:>8}  error exceeded by 1 in 10"]
    for i in range(0, len(found.t), 3):
        value = "-" if np.isnan(found.value[i]) else f"{found.value[i]:.2f}"
        lines.append(f"  {iso(int(found.t[i]))}   {value:>10}  {found.p90[i]:.2f}")
    return "\n".join(lines) + "\n"


def peak_text(found: PeakSoFar) -> str:
    """This month's peak in sentences."""
    limit = "" if found.limit is None else f" and the limit of {found.limit:.1f} kW"
    return (
        f"Highest interval of the month so far: {found.kw:.1f} kW at {iso(found.at)}.\n"
        f"Latest interval: {found.latest:.1f} kW; {found.left:.1f} kW are left under the peak{limit}.\n"
        + (f"{100 * found.missing:.1f} % of the intervals so far were not measured.\n" if found.missing else "")
    )
