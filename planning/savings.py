"""Metered savings: what a building would have used by its baseline, against what it used. Pure.

Baseline: kWh a day = base + heating x max(Th - T, 0) + cooling x max(T - Tc, 0) + weekend, its two balance
temperatures found by trying. A saving is published only where the baseline fits its own months (ASHRAE 14-2014):
CV(RMSE) at most 15 %, NMBE within 5 %. The same is computed for a reference building, and subtracted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planning.blocks import Interval, added, drawn_weights, numbered, widened
from telemetry.errors import UsageError
from telemetry.series import FloatArray, IntArray

MONTHLY = (0.15, 0.05)  # CV(RMSE), NMBE
HOURLY = (0.30, 0.10)
_BLOCK = 28  # days: errors of days are correlated beyond a week, and blocks of 7 give intervals that are too narrow
_HEATING, _COOLING = np.arange(8.0, 20.0, 1.0), np.arange(16.0, 27.0, 1.0)
LEAST_DAYS = 180


def nmbe(measured: FloatArray, modelled: FloatArray, p: int = 0) -> float:
    """Normalised mean bias error: sum(m - s) / ((n - p) mean m)."""
    return float((measured - modelled).sum() / ((len(measured) - p) * measured.mean()))


def cv_rmse(measured: FloatArray, modelled: FloatArray, p: int = 0) -> float:
    """Coefficient of variation of the root mean square error: sqrt(sum (m - s)^2 / (n - p)) / mean m."""
    return float(np.sqrt(((measured - modelled) ** 2).sum() / (len(measured) - p)) / measured.mean())


class Baseline(NamedTuple):
    """A fitted baseline; `coefficients` of the columns of `_columns`."""

    heating: float
    cooling: float
    coefficients: FloatArray

    def predict(self, temperature: FloatArray, day: IntArray) -> FloatArray:
        """KWh of each day; `day`: ordinal of the date."""
        return np.asarray(_columns(temperature, day, self.heating, self.cooling) @ self.coefficients)


def _columns(temperature: FloatArray, day: IntArray, heating: float, cooling: float) -> FloatArray:
    weekend = (day % 7 == 6) | (day % 7 == 0)  # ordinal 1 was a Monday
    cold, hot = np.maximum(heating - temperature, 0.0), np.maximum(temperature - cooling, 0.0)
    return np.column_stack([np.ones(len(day)), cold, hot, weekend])


def fit(kwh: FloatArray, temperature: FloatArray, day: IntArray, weight: FloatArray | None = None) -> Baseline:
    """The baseline with the smallest squared error; slopes that are negative are left out, as they mean nothing."""
    w = np.sqrt(np.ones(len(kwh)) if weight is None else weight)
    best: tuple[float, Baseline] | None = None
    for heating in _HEATING.tolist():
        for cooling in _COOLING[_COOLING >= heating].tolist():
            x = _columns(temperature, day, heating, cooling)
            found = _solve(x * w[:, None], kwh * w)
            error = float((((x @ found) - kwh) ** 2 * w**2).sum())
            if best is None or error < best[0]:
                best = error, Baseline(heating, cooling, found)
    assert best is not None  # noqa: S101 - the lists of temperatures are not empty
    return best[1]


def _solve(x: FloatArray, y: FloatArray) -> FloatArray:
    use = np.ones(x.shape[1], dtype=np.bool_)
    while True:
        out = np.zeros(x.shape[1])
        out[use] = np.linalg.lstsq(x[:, use], y, rcond=None)[0]
        wrong = use & (out < 0) & np.array([False, True, True, False])
        if not wrong.any():
            return out
        use &= ~wrong


class Savings(NamedTuple):
    """kWh saved in the time after, with its interval; `share` of the baseline.

    `published`: whether the baseline fits well enough. `cv_rmse`, `nmbe`: of the baseline's months.
    """

    kwh: Interval
    share: float
    cv_rmse: float
    nmbe: float
    published: bool
    sentence: str


class Days(NamedTuple):
    """Daily energy of a building and the day's mean temperature, NaN where missing; `day`: ordinal of the date."""

    day: IntArray
    kwh: FloatArray
    temperature: FloatArray

    def between(self, first: int, last: int) -> Days:
        """The days first..last that have both."""
        keep = (self.day >= first) & (self.day <= last) & ~np.isnan(self.kwh) & ~np.isnan(self.temperature)
        return Days(self.day[keep], self.kwh[keep], self.temperature[keep])


def savings(
    building: Days,
    reference: Days,
    before: tuple[int, int],
    after: tuple[int, int],
    draws: int = 200,
    seed: int = 1,
) -> Savings:
    """Savings of the building beyond the reference's. `before`, `after`: first and last day (ordinals).

    Raises UsageError where there are too few days.
    """
    own, other = (_drawn(d, before, after, draws, seed + i) for i, d in enumerate((building, reference)))
    expected = own.expected
    net = own.saved - own.expected * (other.saved / other.expected)
    drawn = own.drawn - expected * (other.drawn / other.expected)
    low, high = widened(net, drawn, own.blocks)
    found = Interval(net, low, high, own.blocks, own.days)
    good = own.cv <= MONTHLY[0] and abs(own.bias) <= MONTHLY[1]
    return Savings(found, net / expected, own.cv, own.bias, good, _sentence(found, expected, own.cv, own.bias, good))


def _sentence(found: Interval, expected: float, cv: float, bias: float, good: bool) -> str:
    if not good:
        return (
            f"Not published: the baseline's months have CV(RMSE) {100 * cv:.1f} % (at most 15 %) and NMBE "
            f"{100 * bias:+.1f} % (within 5 %)."
        )
    interval, share = f"{found.low:,.0f} to {found.high:,.0f}", 100 * found.value / expected
    numbers = f"{found.value:,.0f} kWh (95 %: {interval}), {share:.1f} %"
    return f"Saved {numbers}." if found.is_effect else f"The saving cannot be distinguished from chance: {numbers}."


class _Drawn(NamedTuple):
    saved: float
    expected: float
    drawn: FloatArray
    cv: float
    bias: float
    blocks: int
    days: int


def _drawn(days: Days, before: tuple[int, int], after: tuple[int, int], draws: int, seed: int) -> _Drawn:
    """Savings by a baseline, and by baselines of drawn blocks with errors of drawn blocks: both are uncertain."""
    old, new = days.between(*before), days.between(*after)
    if len(old.day) < LEAST_DAYS or not len(new.day):
        raise UsageError(
            f"{len(old.day)} days before and {len(new.day)} after have energy and temperature; {LEAST_DAYS} before "
            "and one after are needed."
        )
    model = fit(old.kwh, old.temperature, old.day)
    error = old.kwh - model.predict(old.temperature, old.day)
    expected = model.predict(new.temperature, new.day)
    block = numbered(old.day // _BLOCK)
    weights = drawn_weights(block, draws, seed)
    rng = np.random.default_rng([seed, 1])
    found = np.empty(draws)
    per_block = np.bincount(block, weights=error)
    count = max(round(len(new.day) / _BLOCK), 1)
    scale = np.sqrt(len(new.day) / _BLOCK / count)
    for i, weight in enumerate(weights):
        x = _columns(old.temperature, old.day, model.heating, model.cooling)
        w = np.sqrt(weight[block])
        refitted = Baseline(model.heating, model.cooling, _solve(x * w[:, None], old.kwh * w))
        noise = rng.choice(per_block, count).sum() * scale
        found[i] = refitted.predict(new.temperature, new.day).sum() + noise - new.kwh.sum()
    cv, bias = _monthly(old, model)
    total = float(expected.sum())
    return _Drawn(total - float(new.kwh.sum()), total, found, cv, bias, weights.shape[1], len(new.day))


def _monthly(old: Days, model: Baseline) -> tuple[float, float]:
    """CV(RMSE) and NMBE over blocks of 30 days."""
    month = numbered(old.day // 30)
    measured = added(month, old.kwh)
    modelled = added(month, model.predict(old.temperature, old.day))
    full = np.bincount(month) >= 25
    p = min(3, int(full.sum()) - 1)
    return cv_rmse(measured[full], modelled[full], p), nmbe(measured[full], modelled[full], p)
