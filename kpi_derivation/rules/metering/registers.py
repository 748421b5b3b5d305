"""Energy of a meter's register, without wrong readings, resets and meter changes. Pure.

A register only grows. So the energy between two readings is their difference, whatever was read between them, unless
the register was reset. The rules, in the order in which they are tried at each reading:

    excursion   the register falls, or rises more than it can, and comes back: the readings between count nothing
    rollover    it falls from its last tenth to its first: the modulus is added
    reset       it falls and stays low: its reading counts, if that much can have been counted since
    change      it falls or rises by more than that and stays: the step counts nothing, and is reported

The energy of a step is spread evenly over the time between its two readings, so a reading exactly on a boundary closes
the time before it, and a gap's energy lies in the gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import HOUR

NOISE = 0.9  # a fall to more than this share of the register is rounding or noise
AHEAD = 8  # readings within which an excursion comes back
POSSIBLE, FURTHER = 1000.0, 50.0  # units that any register may count in a step of an hour, and more for further hours
TIMES = 10.0  # times the largest other rate that a register may count in one step
REGAINS = 3.0  # times the usual rate: a larger step is not growth after a reset
RESET = 2.0  # times the largest other rate that a register may show after a reset
_LITTLE = 3.5  # units below which a step is not significant
_LAST = 3  # readings at the end of a day that may wait for the next
_USUAL = 0.9  # quantile of the rates that is the usual one


class MeterChange(NamedTuple):
    """A meter was replaced at `at` (ms UTC); the old register's last reading and the new one's first, NaN: unknown."""

    at: int
    last: float
    first: float


class Register(NamedTuple):
    """Readings of one register in time order. `t`: ms; `given`: energy from the reading before, where that is known
    better than by their difference (NaN elsewhere); `limit`: units an hour it can carry, NaN where unknown. `trusted`:
    falls with a given energy are resets, not wrong readings. `gradual`: readings with others between them and the one
    before.
    """

    t: IntArray
    v: FloatArray
    given: FloatArray
    modulus: float
    limit: float
    changes: Sequence[MeterChange] = ()
    trusted: bool = False
    gradual: BoolArray | None = None


class Steps(NamedTuple):
    """Steps between accepted readings: index of the readings before and after, energy, and whether the meter changed.

    `pending`: index of the first reading after the last accepted one; len(t) where there is none.
    """

    before: IntArray
    after: IntArray
    energy: FloatArray
    changed: np.ndarray[tuple[int], np.dtype[np.bool_]]
    pending: int


def steps(r: Register, *, whole: bool = True) -> Steps:
    """The accepted steps. `whole`: nothing follows; else short falls at the end stay pending."""
    if len(r.v) < 2:
        return Steps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_), len(r.v))
    if not r.changes and plain(r):
        at = np.arange(len(r.v))
        difference = np.diff(r.v)
        given = r.given[1:]
        energy = np.where(np.isnan(given), difference, given)
        return Steps(at[:-1], at[1:], energy, np.zeros(len(energy), np.bool_), len(r.v))
    return _Walk(r, whole).run()


def plain(r: Register) -> bool:
    """Whether the register only grows, and by no more than any register can: then every reading is accepted."""
    rise = np.diff(r.v)
    hours = np.maximum(np.diff(r.t) / HOUR, 1.0)
    if not np.isnan(r.given).all() and not r.trusted:
        return False
    if not (rise >= 0).all() or (len(rise) > 1 and rise[0] > max(r.v[0], 1.0)):
        return False
    if not math.isnan(r.limit):
        return bool((rise <= r.limit * hours).all())
    usual = float(np.median(rise / hours)) if len(rise) > 2 else POSSIBLE / TIMES
    return bool((rise <= np.maximum(POSSIBLE + FURTHER * (hours - 1.0), TIMES * usual * hours)).all())


def plain_rows(t: IntArray, v: FloatArray, given: FloatArray, limit: FloatArray) -> BoolArray:
    """As `plain` of many registers with as many readings each, one a row, that are not `trusted`."""
    rise, hours = np.diff(v, axis=1), np.maximum(np.diff(t, axis=1) / HOUR, 1.0)
    ok = np.isnan(given).all(axis=1) & (rise >= 0).all(axis=1)
    if rise.shape[1] > 1:
        ok &= rise[:, 0] <= np.maximum(v[:, 0], 1.0)
    usual = np.median(rise / hours, axis=1) if rise.shape[1] > 2 else np.full(len(v), POSSIBLE / TIMES)
    any_can = np.maximum(POSSIBLE + FURTHER * (hours - 1.0), TIMES * usual[:, None] * hours)
    most = np.where(np.isnan(limit)[:, None], any_can, limit[:, None] * hours)
    return np.asarray(ok & (rise <= most).all(axis=1))


class _Walk:
    """One pass over the readings of a register that does not only grow."""

    def __init__(self, r: Register, whole: bool) -> None:
        self.r, self.whole = r, whole
        self.t, self.v = r.t.tolist(), r.v.tolist()
        self.before: list[int] = []
        self.after: list[int] = []
        self.energy: list[float] = []
        self.changed: list[bool] = []

    def run(self) -> Steps:
        """All steps."""
        i = self._head()
        pending = len(self.v)
        while i + 1 < len(self.v):
            j = self._next(i)
            if j is None:
                pending = i + 1
                break
            self._step(i, j)
            i = j
        return Steps(
            np.array(self.before, np.int64), np.array(self.after, np.int64), np.array(self.energy),
            np.array(self.changed, np.bool_), pending,
        )  # fmt: skip

    def _head(self) -> int:
        """The first reading to start from: one that the next ones exceed by far is wrong itself."""
        if len(self.v) < 3:
            return 0
        rise, most = self.v[1] - self.v[0], self._most(0, 1)
        if rise > max(self.v[0], most, 1.0) and self._grows(1, 2):
            return 1
        falls = self.v[1] < NOISE * self.v[0] and self.v[1] > max(most, 1.0)
        return 1 if falls and len(self.v) > 3 and not self.r.changes and self._grows(1, 2) and self._grows(2, 3) else 0

    def _grows(self, i: int, j: int) -> bool:
        return bool(0 <= self.v[j] - self.v[i] <= self._limit(i, j))

    def _next(self, i: int) -> int | None:
        """The next accepted reading after `i`; None: those that follow stay pending."""
        j, v = i + 1, self.v
        if any(self.t[i] < c.at <= self.t[j] for c in self.r.changes):
            return j
        end = min(j + AHEAD, len(v))
        if v[j] >= v[i]:
            return self._after_rise(i, j, end)
        if self._rolls(i, j) or (self.r.trusted and not math.isnan(self.r.given[j])):
            return j
        return self._after_fall(i, j, end)

    def _after_rise(self, i: int, j: int, end: int) -> int | None:
        v = self.v
        if v[j] - v[i] > self._limit(i, j):
            back = (k for k in range(j + 1, end) if v[i] <= v[k] < v[j] and v[k] - v[i] <= self._limit(i, k))
            return next(back, None if self._may_wait(j) else j)
        down = next((k for k in range(j + 1, end) if v[k] < v[j]), None)
        if down is None or v[down] < v[i]:
            return j
        noise = down == j + 1 and v[down] > NOISE * v[j]
        jumps = v[j] - v[i] > self._significant(i, j) and not self._gradual(j)
        return down if noise or jumps else j

    def _gradual(self, j: int) -> bool:
        return self.r.gradual is not None and bool(self.r.gradual[j])

    def _after_fall(self, i: int, j: int, end: int) -> int | None:
        v = self.v
        for k in range(j + 1, end):
            if v[k] >= v[i] and v[k] - v[i] <= self._limit(i, k):
                return k if self._comes_back(i, j, k) else j
        if v[j] > NOISE * v[i] and end == len(v) and min(v[j:end]) > NOISE * v[i]:
            return None  # noise at the end
        known = not math.isnan(self.r.given[j]) or j + 1 < len(v)
        return None if self._may_wait(j) and not (known and self._can_show(i, j)) else j

    def _may_wait(self, j: int) -> bool:
        """Whether so little follows `j` that later readings have to decide."""
        return not self.whole and len(self.v) - j <= _LAST

    def _comes_back(self, i: int, j: int, k: int) -> bool:
        """Whether the fall from `i` to `j` was wrong, seeing that the register is above `i` at `k`."""
        if self.v[j] > NOISE * self.v[i]:
            return True
        if self._gradual(k):
            return False
        jump = self.v[k] - self.v[k - 1]
        return bool(jump >= 0.5 * (self.v[i] - self.v[k - 1]) and jump > self._significant(k - 1, k))

    def _rolls(self, i: int, j: int) -> bool:
        size = self.r.modulus
        return math.isfinite(size) and self.v[i] > NOISE * size and self.v[j] < (1 - NOISE) * size

    def _step(self, i: int, j: int) -> None:
        energy, changed = self._energy(i, j)
        self.before.append(i)
        self.after.append(j)
        self.energy.append(energy)
        self.changed.append(changed)

    def _energy(self, i: int, j: int) -> tuple[float, bool]:
        """Energy of a step, and whether the meter was changed in it."""
        r, rise = self.r, self.v[j] - self.v[i]
        for c in r.changes:
            if self.t[i] < c.at <= self.t[j]:
                parts = (c.last - self.v[i], self.v[j] - c.first)
                return sum(max(p, 0.0) for p in parts if not math.isnan(p)), True
        if j == i + 1 and rise < 0 and not math.isnan(r.given[j]) and (r.trusted or self._can_show(i, j)):
            return float(r.given[j]), False
        if rise >= 0:
            return self._risen(i, j)
        if self._rolls(i, j):
            return rise + r.modulus, False
        if self.v[j] > NOISE * self.v[i]:
            return 0.0, False
        return (self.v[j], False) if self._can_show(i, j) else (0.0, True)

    def _risen(self, i: int, j: int) -> tuple[float, bool]:
        """Of a step upwards; `given` holds what the hour counted if its register was reset within it."""
        rise, again = self.v[j] - self.v[i], float(self.r.given[j])
        if j == i + 1 and not math.isnan(again) and not self.r.trusted:
            return (again if again <= self._most(i, j) else rise), False
        return (rise, False) if rise <= self._limit(i, j) else (0.0, True)

    def _can_show(self, i: int, j: int) -> bool:
        """Whether a register that was reset after `i` can have its reading at `j`."""
        most = self._most(i, j)
        return most == 0.0 or self.v[j] <= max(most, _LITTLE)

    def _hours(self, i: int, j: int) -> float:
        return float(self.t[j] - self.t[i]) / HOUR

    def _significant(self, i: int, j: int) -> float:
        """A step from `i` to `j` that is larger is not usual growth."""
        growing = self._growing(i, j)
        usual = growing[math.ceil(_USUAL * len(growing)) - 1] if len(growing) else 0.0
        return max(REGAINS * float(usual) * max(self._hours(i, j), 1.0), _LITTLE)

    def _most(self, i: int, j: int) -> float:
        """The most that a register can show at `j` that started again after `i`; 0 where nothing grows."""
        return RESET * float(self._growing(i, j).max(initial=0.0)) * max(self._hours(i, j), 1.0)

    def _limit(self, i: int, j: int) -> float:
        """The most that can be counted from `i` to `j`: by the connection, else by what other steps count."""
        hours = max(self._hours(i, j), 1.0)
        if not math.isnan(self.r.limit):
            return self.r.limit * hours
        growing = self._growing(i, i + 1)
        largest = float(growing[-1]) if len(growing) else POSSIBLE / TIMES
        return max(POSSIBLE + FURTHER * (hours - 1.0), TIMES * largest * hours)

    def _growing(self, i: int, j: int) -> FloatArray:
        """The rates of steps upwards, units an hour, in order of size, without those from `i` to `j`."""
        rates = np.delete(self._rates(), slice(i, j))
        return np.sort(rates[rates > 0])

    def _rates(self) -> FloatArray:
        if not hasattr(self, "_all_rates"):
            hours = np.maximum(np.diff(self.r.t) / HOUR, 1.0)
            self._all_rates: FloatArray = np.diff(self.r.v) / hours
        return self._all_rates


def split(before: int, after: int, energy: float, bounds: IntArray) -> FloatArray:
    """Energy of a step from `before` to `after` (ms), spread evenly, in the spans between sorted `bounds`.

    Shape (len(bounds) - 1,). A step without length counts in the span that ends with it, or holds it.
    """
    if after > before:
        return np.asarray(energy * np.diff(np.clip(bounds, before, after)) / (after - before))
    out = np.zeros(len(bounds) - 1)
    place = int(np.searchsorted(bounds, after, side="left")) - 1
    if 0 <= place < len(out):
        out[place] = energy
    return out
