"""A forecast of the next 48 hours, and what it is worth: scored against seasonal-naive on the past. Pure.

Seasonal-naive: the same hour of the week before. Model: gradient boosting (scikit-learn) on what is known when the
forecast is made. A forecast is shown for those horizons only at which its measured error was smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from telemetry.errors import UsageError
from telemetry.series import FloatArray, IntArray
from telemetry.windows import DAY, HOUR

HORIZON = 48
WEEK = 168
BANDS = ((1, 6), (7, 12), (13, 24), (25, 48))
LEAST = 8 * WEEK  # hours of history
LEAST_ORIGINS = 8


class Score(NamedTuple):
    """Mean absolute error of the hours first..last ahead, over all origins; a tenth of the errors exceed `p90`."""

    first: int
    last: int
    model: float
    naive: float
    p90: float
    hours: int

    @property
    def better(self) -> bool:
        """Whether the model beat seasonal-naive."""
        return self.model < self.naive


class Forecast(NamedTuple):
    """The hours ahead: start (UTC ms), value, and the error that a tenth of past forecasts exceeded.

    `value` is NaN at horizons where the model did not beat seasonal-naive.
    """

    t: IntArray
    value: FloatArray
    p90: FloatArray
    scores: tuple[Score, ...]


def naive(values: FloatArray, origin: int) -> FloatArray:
    """The same hours of the week before; two weeks before where that is missing."""
    hours = origin + np.arange(HORIZON)
    one, two = values[hours - WEEK], values[hours - 2 * WEEK]
    return np.where(np.isnan(one), two, one)


def features(values: FloatArray, start: int, origin: int) -> FloatArray:
    """What is known at `origin` (number of the hour) of the hours ahead; one row an hour. `start`: UTC ms of hour 0."""
    ahead = np.arange(HORIZON)
    hours = origin + ahead
    t = start + hours * HOUR
    back = hours - 24 * (1 + ahead // 24)  # the last known day at that hour
    recent = [np.nanmean(_last(values, origin, n)) if _has(values, origin, n) else np.nan for n in (3, 24, WEEK)]
    columns = [
        values[hours - WEEK], values[hours - 2 * WEEK], values[back], t // HOUR % 24, t // DAY % 7,
        t / (365.25 * DAY) % 1.0, ahead, *(np.full(HORIZON, x) for x in recent), np.full(HORIZON, values[origin - 1]),
    ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float64)


def _last(values: FloatArray, origin: int, n: int) -> FloatArray:
    return values[origin - n : origin]


def _has(values: FloatArray, origin: int, n: int) -> bool:
    return bool((~np.isnan(_last(values, origin, n))).any())


def _model(values: FloatArray, start: int, origins: Sequence[int], seed: int) -> Any:  # noqa: ANN401 - an untyped library
    """A model trained on forecasts that could have been made at these origins."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - heavy; only here
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    x = np.concatenate([features(values, start, o) for o in origins])
    y = np.concatenate([values[o : o + HORIZON] for o in origins])
    known = ~np.isnan(y)
    made = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=150, learning_rate=0.08, max_leaf_nodes=24, min_samples_leaf=40,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
    with threadpool_limits(1):  # more threads than free cores make it many times slower
        return made.fit(x[known], y[known])


def _predicted(model: Any, values: FloatArray, start: int, origins: Sequence[int]) -> FloatArray:  # noqa: ANN401
    """The model's values of the hours ahead, (origins, HORIZON); one call for all, as each has a cost of its own."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):
        found = model.predict(np.concatenate([features(values, start, o) for o in origins]))
    return np.asarray(found, dtype=np.float64).reshape(len(origins), HORIZON)


def backtest(
    values: FloatArray, start: int, origins: Sequence[int], retrain: int = 4 * WEEK, seed: int = 1
) -> tuple[tuple[Score, ...], FloatArray]:
    """Forecasts as they would have been made at these origins (numbers of hours); only the past is used for each.

    The model is trained again every `retrain` hours. Returns the scores and the errors, (origins, hours ahead, which):
    of the model and of seasonal-naive.
    """
    errors = np.full((len(origins), HORIZON, 2), np.nan)
    at = 0
    while at < len(origins):
        end = at + 1
        while end < len(origins) and origins[end] - origins[at] < retrain:
            end += 1
        mine = origins[at:end]
        model = _model(values, start, _training(mine[0]), seed)
        truth = np.stack([values[o : o + HORIZON] for o in mine])
        errors[at:end, :, 0] = _predicted(model, values, start, mine) - truth
        errors[at:end, :, 1] = np.stack([naive(values, o) for o in mine]) - truth
        at = end
    errors[np.isnan(errors).any(axis=2)] = np.nan
    return tuple(_score(errors, first, last) for first, last in BANDS), errors


def _training(origin: int) -> list[int]:
    """Origins of the past: their 48 hours end before `origin`; a new hour of the day each time."""
    return list(range(2 * WEEK, origin - HORIZON + 1, 11))


def _score(errors: FloatArray, first: int, last: int) -> Score:
    part = errors[:, first - 1 : last]
    there = part[~np.isnan(part[:, :, 0])]
    if not len(there):
        return Score(first, last, float("nan"), float("nan"), float("nan"), 0)
    mae = np.abs(there).mean(axis=0)
    return Score(first, last, float(mae[0]), float(mae[1]), float(np.percentile(np.abs(there[:, 0]), 90)), len(there))


def forecast(values: FloatArray, start: int, now: int, seed: int = 1, weeks: int = 8) -> Forecast:
    """The 48 hours from `now` (UTC ms) on. `values`: hourly, NaN where missing, `start`: UTC ms of the first.

    Scored on origins every 25 hours of the last `weeks` weeks, or as many as there are. Raises UsageError where the
    history is short or old.
    """
    origin = (now - start) // HOUR
    if origin > len(values) + 2:
        hours = origin - len(values)
        raise UsageError(f"The newest value is {hours:,} hours old: a forecast from there would lie in the past.")
    known = values[: min(origin, len(values))]
    if (~np.isnan(known)).sum() < LEAST:
        raise UsageError(
            f"{int((~np.isnan(known)).sum())} hours of history; a forecast needs at least {LEAST} (eight weeks)."
        )
    padded = np.concatenate([known, np.full(HORIZON + max(origin - len(known), 0), np.nan)])
    enough = int(np.searchsorted(np.cumsum(~np.isnan(known)), 4 * WEEK))  # values to train on, after whatever gap
    first = max(4 * WEEK, origin - weeks * WEEK, enough)
    scores, errors = backtest(padded, start, list(range(first, origin - HORIZON, 25)), seed=seed)
    if (~np.isnan(errors[:, 0, 0])).sum() < LEAST_ORIGINS:
        raise UsageError("Too few past forecasts can be scored: the history has too many gaps.")
    model = _model(padded, start, _training(origin), seed)
    value = _predicted(model, padded, start, [origin])[0]
    p90 = np.full(HORIZON, np.nan)
    for score in scores:
        p90[score.first - 1 : score.last] = score.p90
        if not score.better:
            value[score.first - 1 : score.last] = np.nan
    return Forecast(start + (origin + np.arange(HORIZON)) * HOUR, value, p90, scores)


class PeakSoFar(NamedTuple):
    """The month's highest interval so far, kW, when it was (UTC ms), and what is left under it in an interval now.

    `limit`: what the tariff or the contract allows, where there is one; `left`: kW under the higher of the two.
    """

    kw: float
    at: int
    latest: float
    limit: float | None
    left: float
    missing: float


def peak_so_far(power: FloatArray, start: int, step: int, limit: float | None = None) -> PeakSoFar:
    """For capacity tariffs: `power` in kW of each interval of the running month, NaN where missing.

    Raises UsageError where nothing was measured.
    """
    there = np.flatnonzero(~np.isnan(power))
    if not len(there):
        raise UsageError("No interval of this month was measured yet.")
    seen = power[: there[-1] + 1]
    best = int(np.nanargmax(seen))
    kw, latest = float(seen[best]), float(seen[-1])
    free = max(kw, limit or 0.0)
    return PeakSoFar(kw, start + best * step, latest, limit, free - latest, float(np.isnan(seen).mean()))
