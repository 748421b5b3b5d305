"""Did the measure work? A site against a reference, before against after. Pure.

A column that cleans the air beside its own sensor always looks good, so a reference is required: upstream, or a
second street that the measure does not touch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planning.blocks import Interval, added, iso_week, mean_interval, refit_interval
from telemetry.errors import UsageError
from telemetry.series import FloatArray, IntArray
from telemetry.windows import DAY, HOUR

YEAR = 364 * DAY  # keeps the weekday
LEAST_WEEKS = 8


class Hours(NamedTuple):
    """Hourly means of a site and its reference, NaN where missing; `t`: start of each hour, UTC ms, ascending."""

    t: IntArray
    site: FloatArray
    reference: FloatArray


class Effect(NamedTuple):
    """What changed at the site beyond the reference, in words too. `missing`: share of hours left out."""

    method: str
    interval: Interval
    unit: str
    missing: float
    sentence: str


def sentence(found: Interval, unit: str) -> str:
    """The effect in words; one that may be chance is called none."""
    numbers = f"{found.value:+.2f} {unit} (95 %: {found.low:+.2f} to {found.high:+.2f})"
    if not found.is_effect:
        return f"The effect cannot be distinguished from chance: {numbers}."
    return f"The measure {'lowered' if found.value < 0 else 'raised'} the value: {numbers}."


def quadruplets(hours: Hours, begin: int, end: int, back: int, unit: str, seed: int = 1) -> Effect:
    """(site after - before) - (reference after - before), over hours in which all four are there.

    After: [begin, end), UTC ms; before: the same hours `back` multiples of 364 days earlier. Raises UsageError.
    """
    if back < 1 or begin - back * YEAR + (end - begin) > begin:
        raise UsageError("Before and after overlap: 'after' may last at most 364 days for each step back.")
    n = (end - begin) // HOUR
    after, before = (_laid(hours, t, n) for t in (begin, begin - back * YEAR))
    change = (after.site - before.site) - (after.reference - before.reference)
    there = ~np.isnan(change)
    _enough(after.t[there])
    found = mean_interval(change[there], iso_week(after.t[there]), seed=seed)
    missing = 1.0 - float(there.mean())
    return Effect(f"matched quadruplets, {364 * back} days apart", found, unit, missing, sentence(found, unit))


def _laid(hours: Hours, start: int, n: int) -> Hours:
    """The n hours from `start` on, NaN where there are none."""
    t = start + HOUR * np.arange(n, dtype=np.int64)
    if not len(hours.t):
        return Hours(t, np.full(n, np.nan), np.full(n, np.nan))
    place = np.minimum(np.searchsorted(hours.t, t), len(hours.t) - 1)
    there = hours.t[place] == t
    return Hours(t, np.where(there, hours.site[place], np.nan), np.where(there, hours.reference[place], np.nan))


def _enough(t: IntArray) -> None:
    weeks = len(np.unique(iso_week(t)))
    if weeks < LEAST_WEEKS:
        raise UsageError(
            f"Only {weeks} weeks have values of site and reference, before and after; {LEAST_WEEKS} are needed. "
            "Check the periods, and that both were measured in them."
        )


def harmonics(t: IntArray) -> FloatArray:
    """Daily, weekly and yearly waves of each time; one column each."""
    columns = []
    for period, count in ((DAY, 3), (7 * DAY, 2), (365.25 * DAY, 2)):
        for k in range(1, count + 1):
            phase = 2.0 * np.pi * k * t / period
            columns += [np.sin(phase), np.cos(phase)]
    return np.stack(columns, axis=1)


def weather_adjusted(hours: Hours, weather: FloatArray, since: int, unit: str, seed: int = 1) -> Effect:
    """The step at `since` (UTC ms) in site - reference, beside what weather, hour, weekday and season explain.

    `weather`: one column a variable (NaN where missing), in its own unit; each enters plain and squared.
    """
    y = hours.site - hours.reference
    there = ~np.isnan(y) & ~np.isnan(weather).any(axis=1)
    t, y, w = hours.t[there], y[there], weather[there]
    after = t >= since
    _enough(t[after])
    _enough(t[~after])
    scaled = (w - w.mean(axis=0)) / np.maximum(w.std(axis=0), 1e-9)
    x = np.column_stack([np.ones(len(t)), after, scaled, scaled**2, harmonics(t)])
    found = refit_interval(x, y, 1, iso_week(t), seed=seed)
    return Effect("weather adjusted", found, unit, 1.0 - float(there.mean()), sentence(found, unit))


class ChangePoint(NamedTuple):
    """The week in which site - reference most likely changed. `p`: how often chance alone gives as large a change."""

    at: int
    change: float
    p: float
    sentence: str


def change_point(hours: Hours, unit: str, seed: int = 1, draws: int = 499) -> ChangePoint:
    """One step at an unknown date, over weekly means, tested against the weeks in random order, pairs kept together.

    A yearly wave is taken out where there is more than a year; with less, a season can look like a change.

    Raises UsageError with fewer than 16 weeks.
    """
    y = hours.site - hours.reference
    there = ~np.isnan(y)
    week = iso_week(hours.t[there])
    if (found := len(np.unique(week))) < 2 * LEAST_WEEKS:
        raise UsageError(f"{found} weeks have values; {2 * LEAST_WEEKS} are needed to look for a change.")
    weeks, inverse = np.unique(week, return_inverse=True)
    mean = added(inverse, y[there]) / np.bincount(inverse)
    season = _season(weeks)
    rest = mean - season @ (season.T @ mean)
    place, strength = _best_step(rest, season)
    rng = np.random.default_rng(seed)
    pairs = np.array_split(np.arange(len(mean)), max(len(mean) // 2, 1))
    mixed = (rest[np.concatenate([pairs[i] for i in rng.permutation(len(pairs))])] for _ in range(draws))
    by_chance = [_best_step(m - season @ (season.T @ m), season)[1] for m in mixed]
    p = (1 + sum(s >= strength for s in by_chance)) / (draws + 1)
    x = np.column_stack([season, np.arange(len(mean)) >= place])
    change = float(np.linalg.lstsq(x, mean, rcond=None)[0][-1])
    at = int(hours.t[there][np.searchsorted(week, weeks[place])])
    if p > 0.05:
        return ChangePoint(at, change, p, f"No change can be distinguished from chance (p = {p:.2f}).")
    return ChangePoint(at, change, p, f"Changed by {change:+.2f} {unit} (p = {p:.3f}).")


def _season(weeks: IntArray) -> FloatArray:
    """An orthonormal basis of the mean and, where there is more than a year, of a yearly wave; one row a week."""
    columns = [np.ones(len(weeks))]
    if weeks[-1] - weeks[0] > 52:
        phase = 2.0 * np.pi * weeks * 7.0 / 365.25
        columns += [np.sin(phase), np.cos(phase)]
    return np.asarray(np.linalg.qr(np.stack(columns, axis=1))[0])


def _best_step(rest: FloatArray, season: FloatArray, least: int = 4) -> tuple[int, float]:
    """Where a step explains most of what the season leaves, and how much of its squares it takes away."""
    n = len(rest)
    k = np.arange(least, n - least + 1)
    steps = (np.arange(n)[:, None] >= k).astype(np.float64)
    steps -= season @ (season.T @ steps)
    gain = (rest @ steps) ** 2 / (steps**2).sum(axis=0)
    best = int(np.argmax(gain))
    return int(k[best]), float(gain[best])
