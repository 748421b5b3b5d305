"""The city's electricity: the load of today beside that of the same weekday a week ago, and this month's peak.

Curves are those of the KPI LOCAL:E:PEAK.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from api.now.air import Values, sure
from api.now.recent import MOST_METERS, Seen
from kpi_derivation.catalogue import canonical
from registry.city import City
from telemetry.periods import Period, iso
from telemetry.series import FloatArray
from telemetry.windows import DAY, MINUTE

QUARTER = 15 * MINUTE
_ENOUGH = 0.75  # share of the meters that a quarter of an hour of the city needs
_ENERGY, _PEAK = "LOCAL:E:METERED", "LOCAL:E:PEAK"


def electricity(city: City, values: Values, seen: Seen | None, now: int) -> dict[str, Any] | None:
    """The card of electricity; None for a city without a meter. `seen` None: too many meters for a curve."""
    energy = values.get((_ENERGY, "", "24h"))
    meters = sum(d.kind == "electricity_meter" for d in city.device)
    if not meters:
        return None
    peak = values.get((_PEAK, "", "month"))
    return {
        "meters": meters,
        "energy_kwh": energy.value if energy else None,
        **(sure(energy) if energy else {}),
        "peak": None if peak is None else {"month": peak.period, "kw": peak.value, "notes": peak.notes},
        "limit_kw": _limit(city),
        **({"curve": None} if seen is None else _curve(seen, now)),
    }


def too_many(city: City) -> bool:
    """Whether a curve would take too long for a request."""
    return sum(d.kind == "electricity_meter" for d in city.device) > MOST_METERS


def _limit(city: City) -> float | None:
    """The contracted power: the city's own target of the peak, kW."""
    return next((t.value for t in city.target if canonical(t.code) == _PEAK), None)


def _curve(seen: Seen, at: int) -> dict[str, Any]:
    """Quarters of an hour of today and of the day a week ago, kW; `change`: newest hour against the same hour then."""
    _, now = seen.engine.load_curves(Period("day", "today", seen.today, seen.until))
    _, then = seen.engine.load_curves(Period("day", "before", seen.before, seen.before + DAY))
    today, before = together(now), together(then)
    today[max(0, (at - seen.today) // QUARTER) :] = np.nan  # the running quarter is not over yet
    known = np.flatnonzero(~np.isnan(today))
    newest = int(known[-1]) if len(known) else None
    return {
        "curve": {
            "start": iso(seen.today), "step_s": QUARTER // 1000, "today": _plain(today), "before": _plain(before),
        },
        "kw": None if newest is None else float(today[newest]),
        "at": None if newest is None else iso(seen.today + (newest + 1) * QUARTER),
        "change": None if newest is None else _change(now, then, newest),
    }  # fmt: skip


def together(kw: FloatArray) -> FloatArray:
    """The load of all meters in each quarter, NaN where fewer than three quarters of them were measured."""
    if not kw.size:
        return np.full(kw.shape[1], np.nan)
    there = ~np.isnan(kw)
    whole = there.mean(axis=0) >= _ENOUGH
    filled = np.where(there, kw, 0.0).sum(axis=0)
    return np.where(whole, filled, np.nan)


def _change(now: FloatArray, then: FloatArray, newest: int) -> float | None:
    """Share by which the hour up to the newest quarter differs from the week before, of meters measured in both."""
    first = max(0, newest - 3)
    a, b = now[:, first : newest + 1], then[:, first : newest + 1]
    if a.shape != b.shape:
        return None
    both = ~np.isnan(a) & ~np.isnan(b)
    was = float(b[both].sum())
    return None if was <= 0 or both.mean() < _ENOUGH else float(a[both].sum()) / was - 1


def _plain(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(v) else round(float(v), 3) for v in values]
