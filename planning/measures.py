"""Whether a measure worked, from a city's stored hours: the series that are named, and the method. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from kpi_derivation.engine.recent import History
from planning.effects import ChangePoint, Effect, Hours, change_point, quadruplets, weather_adjusted
from planning.hours import HourSeries, daily, device_of, hourly
from planning.measured import engine_over, load_curves, parse_span
from planning.savings import Days, Savings, savings
from registry.city import City
from telemetry.errors import UsageError
from telemetry.periods import local_date, midnight
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY

_BACK = 3  # steps of 364 days that are tried


def pair(history: History, city: City, site: str, reference: str, quantity: str, start: int, end: int) -> Hours:
    """The hours of a site and its reference. Raises UsageError."""
    if site == reference:
        raise UsageError("The reference is the site itself; name a place that the measure does not touch.")
    own, other = (
        hourly(history, city, device_of(city, name, quantity), quantity, start, end) for name in (site, reference)
    )
    return Hours(own.times(), own.values, other.values)


def effect(
    history: History, city: City, site: str, reference: str, quantity: str, after: str, back: int, weather: list[str],
    seed: int,
) -> Effect:  # fmt: skip
    """Matched quadruplets; with `weather` (device:quantity) the weather-adjusted step at the start of `after`."""
    period = parse_span(after, city)
    if not 1 <= back <= _BACK:
        raise UsageError(f"back = {back}: write 1 to {_BACK} steps of 364 days.")
    start = period.start - back * 364 * DAY
    hours = pair(history, city, site, reference, quantity, start, period.end)
    unit = QUANTITIES[quantity].unit
    if not weather:
        return quadruplets(hours, period.start, period.end, back, unit, seed)
    columns = [_weather(history, city, text, start, period.end).values for text in weather]
    return weather_adjusted(hours, np.stack(columns, axis=1), period.start, unit, seed)


def _weather(history: History, city: City, text: str, start: int, end: int) -> HourSeries:
    name, colon, quantity = text.partition(":")
    if not colon:
        raise UsageError(f"weather '{text}': write device:quantity, like station-01:temperature.")
    return hourly(history, city, device_of(city, name, quantity), quantity, start, end)


def change(
    history: History, city: City, site: str, reference: str, quantity: str, period: str, seed: int
) -> ChangePoint:
    """When site - reference changed, if it did."""
    over = parse_span(period, city)
    hours = pair(history, city, site, reference, quantity, over.start, over.end)
    return change_point(hours, QUANTITIES[quantity].unit, seed)


def saved(
    history: History, city: City, meter: str, reference: str, temperature: str, before: str, after: str, seed: int
) -> Savings:
    """Metered savings of a building beyond those of a reference building."""
    if meter == reference:
        raise UsageError("The reference is the meter itself; name a building that the measure does not touch.")
    old, new = parse_span(before, city), parse_span(after, city)
    if new.start < old.end:
        raise UsageError(f"'{after}' begins before '{before}' ends; the measure lies between them.")
    start, end = old.start, new.end
    first, last = local_date(start, city.zone), local_date(end - 1, city.zone)
    days = [first + timedelta(days=i) for i in range((last - first).days + 2)]
    starts = np.array([midnight(day, city.zone) for day in days], dtype=np.int64)
    warmth = daily(_weather(history, city, temperature, start, end), starts)
    both = [_energy(history, city, name, before, after, starts) for name in (meter, reference)]
    ordinals = np.array([day.toordinal() for day in days[:-1]], dtype=np.int64)
    own, other = (Days(ordinals, kwh, warmth) for kwh in both)
    return savings(own, other, _ordinals(city, old.start, old.end), _ordinals(city, new.start, new.end), seed=seed)


def _ordinals(city: City, start: int, end: int) -> tuple[int, int]:
    return local_date(start, city.zone).toordinal(), local_date(end - 1, city.zone).toordinal()


def _energy(history: History, city: City, meter: str, before: str, after: str, starts: Any) -> Any:  # noqa: ANN401 - arrays
    """KWh of each day by the load curve that the KPIs use; NaN with more than a quarter of it missing."""
    old, new = parse_span(before, city), parse_span(after, city)
    period = old._replace(label=f"{before}..{after}", end=new.end)
    only = city.model_copy(update={"device": [d for d in city.device if d.id == meter]})
    curves = load_curves(engine_over(only, history, period), period)
    power = curves.of([meter])[0]
    hours = np.repeat(np.nan, len(power) // 4)
    block = power[: len(hours) * 4].reshape(-1, 4)
    whole = ~np.isnan(block).any(axis=1)
    hours[whole] = block[whole].mean(axis=1)
    return daily(HourSeries(curves.grid.start, hours), starts, total=True)
