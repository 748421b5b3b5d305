"""`cityvitals measure`: hours out of the store, whether a measure worked as text or JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np

from adapters.store import Store
from planning.effects import ChangePoint, Effect, Hours, change_point, quadruplets, weather_adjusted
from planning.hours import HourSeries, daily, device_of, hourly
from planning.measured import engine_over, load_curves, parse_span
from planning.savings import Days, Savings, savings
from registry.city import City
from reporting.show import stored_city
from telemetry.errors import UsageError
from telemetry.periods import iso, local_date, midnight
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY

_BACK = 3  # steps of 364 days that are tried


def pair(store: Store, city: City, site: str, reference: str, quantity: str, start: int, end: int) -> Hours:
    """The hours of a site and its reference. Raises UsageError."""
    if site == reference:
        raise UsageError("The reference is the site itself; name a place that the measure does not touch.")
    own, other = (
        hourly(store, city, device_of(city, name, quantity), quantity, start, end) for name in (site, reference)
    )
    return Hours(own.times(), own.values, other.values)


def effect(
    store: Store, city_id: str, site: str, reference: str, quantity: str, after: str, back: int, weather: list[str],
    seed: int,
) -> Effect:  # fmt: skip
    """Matched quadruplets; with `weather` (device:quantity) the weather-adjusted step at the start of `after`."""
    city = stored_city(store, city_id)
    period = parse_span(after, city)
    if not 1 <= back <= _BACK:
        raise UsageError(f"--back {back}: write 1 to {_BACK} steps of 364 days.")
    start = period.start - back * 364 * DAY
    hours = pair(store, city, site, reference, quantity, start, period.end)
    unit = QUANTITIES[quantity].unit
    if not weather:
        return quadruplets(hours, period.start, period.end, back, unit, seed)
    columns = [_weather(store, city, text, start, period.end).values for text in weather]
    return weather_adjusted(hours, np.stack(columns, axis=1), period.start, unit, seed)


def _weather(store: Store, city: City, text: str, start: int, end: int) -> HourSeries:
    name, colon, quantity = text.partition(":")
    if not colon:
        raise UsageError(f"--weather '{text}': write device:quantity, like station-01:temperature.")
    return hourly(store, city, device_of(city, name, quantity), quantity, start, end)


def change(store: Store, city_id: str, site: str, reference: str, quantity: str, period: str, seed: int) -> ChangePoint:
    """When site - reference changed, if it did."""
    city = stored_city(store, city_id)
    over = parse_span(period, city)
    hours = pair(store, city, site, reference, quantity, over.start, over.end)
    return change_point(hours, QUANTITIES[quantity].unit, seed)


def saved(
    store: Store, city_id: str, meter: str, reference: str, temperature: str, before: str, after: str, seed: int
) -> Savings:
    """Metered savings of a building beyond those of a reference building."""
    if meter == reference:
        raise UsageError("The reference is the meter itself; name a building that the measure does not touch.")
    city = stored_city(store, city_id)
    old, new = parse_span(before, city), parse_span(after, city)
    if new.start < old.end:
        raise UsageError(f"'{after}' begins before '{before}' ends; the measure lies between them.")
    start, end = old.start, new.end
    first, last = local_date(start, city.zone), local_date(end - 1, city.zone)
    days = [first + timedelta(days=i) for i in range((last - first).days + 2)]
    starts = np.array([midnight(day, city.zone) for day in days], dtype=np.int64)
    warmth = daily(_weather(store, city, temperature, start, end), starts)
    both = [_energy(store, city, name, before, after, starts) for name in (meter, reference)]
    ordinals = np.array([day.toordinal() for day in days[:-1]], dtype=np.int64)
    own, other = (Days(ordinals, kwh, warmth) for kwh in both)
    return savings(own, other, _ordinals(city, old.start, old.end), _ordinals(city, new.start, new.end), seed=seed)


def _ordinals(city: City, start: int, end: int) -> tuple[int, int]:
    return local_date(start, city.zone).toordinal(), local_date(end - 1, city.zone).toordinal()


def _energy(store: Store, city: City, meter: str, before: str, after: str, starts: Any) -> Any:  # noqa: ANN401 - arrays
    """KWh of each day by the load curve that the KPIs use; NaN with more than a quarter of it missing."""
    old, new = parse_span(before, city), parse_span(after, city)
    period = old._replace(label=f"{before}..{after}", end=new.end)
    only = city.model_copy(update={"device": [d for d in city.device if d.id == meter]})
    curves = load_curves(engine_over(only, store, period), period)
    power = curves.of([meter])[0]
    hours = np.repeat(np.nan, len(power) // 4)
    block = power[: len(hours) * 4].reshape(-1, 4)
    whole = ~np.isnan(block).any(axis=1)
    hours[whole] = block[whole].mean(axis=1)
    return daily(HourSeries(curves.grid.start, hours), starts, total=True)


def as_json(found: Effect | ChangePoint | Savings) -> str:
    """The result as JSON."""
    plain = {name: value._asdict() if hasattr(value, "_asdict") else value for name, value in found._asdict().items()}
    return msgspec.json.format(msgspec.json.encode(plain, enc_hook=float), indent=2).decode() + "\n"


def as_text(found: Effect | ChangePoint | Savings, reference: str) -> str:
    """The result in sentences."""
    lines = [found.sentence]
    if isinstance(found, ChangePoint):
        lines.append(f"Most likely in the week of {iso(found.at)[:10]}, against {reference}.")
    elif isinstance(found, Effect):
        i = found.interval
        lines.append(
            f"{found.method}, against {reference}: {i.hours:,} hours in {i.blocks} weeks; "
            f"{100 * found.missing:.1f} % of the hours had no value at one of the two."
        )
    else:
        i = found.kwh
        lines.append(
            f"Against {reference}, over {i.hours} days; baseline: CV(RMSE) {100 * found.cv_rmse:.1f} %, NMBE "
            f"{100 * found.nmbe:+.2f} % by month."
        )
    return "\n".join(lines) + "\n"
