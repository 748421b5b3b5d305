"""Days of registers: the increase within each day, and the increase between days spread over the time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kpi_derivation.rules.metering.registers import (
    NOISE,
    POSSIBLE,
    MeterChange,
    Register,
    Steps,
    plain_rows,
    split,
    steps,
)
from telemetry.partials import Partials
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import HOUR

_NO_T, _NO_V = np.empty(0, dtype=np.int64), np.empty(0)
SLOW = 2 * HOUR  # a register that is read less often is covered by its steps, see `covered`


class DayPoints(NamedTuple):
    """Per group: energy between its first and last accepted reading, these readings and their times, meter changes.

    `tail`: energy of the readings after the last accepted one, which counts where nothing follows.
    """

    inside: FloatArray
    first: FloatArray
    last: FloatArray
    first_t: FloatArray
    last_t: FloatArray
    changed: FloatArray
    tail: FloatArray


class _Readings(NamedTuple):
    """First and last reading of each hour, in time order; see `registers.Register`. `group`: of each."""

    t: IntArray
    v: FloatArray
    given: FloatArray
    group: IntArray
    gradual: BoolArray


def fold(
    hours: Partials, group: IntArray, groups: int, modulus: FloatArray, changes: Sequence[Sequence[MeterChange]],
    limit: FloatArray,
) -> DayPoints:  # fmt: skip
    """Fold hours of registers, sorted by (series, start), to groups (one series and day each).

    `group`: of each hour, growing. `modulus`: of each hour. `changes`: declared meter changes of each group.
    `limit`: units an hour that the register of each can count, NaN where unknown.
    """
    out = DayPoints(*(np.full(groups, fill) for fill in (0.0, np.nan, np.nan, np.nan, np.nan, 0.0, 0.0)))
    there = hours.n > 0
    hours, group, modulus = hours.take(there), group[there], modulus[there]
    if not len(hours):
        return out
    r = _readings(hours, group)
    heads = np.flatnonzero(np.concatenate(([True], r.group[1:] != r.group[:-1])))
    ends = np.append(heads[1:], len(r.t)) - 1
    at = r.group[heads]
    out.first[at], out.last[at] = r.v[heads], r.v[ends]
    out.first_t[at], out.last_t[at] = r.t[heads], r.t[ends]
    out.inside[at] = r.v[ends] - r.v[heads]
    odd = _odd(r, heads, limit)
    first_hour = np.searchsorted(group, at)
    for n in range(len(heads)) if any(changes) else np.flatnonzero(odd).tolist():
        hour, declared = int(first_hour[n]), changes[int(at[n])]
        mine = slice(int(heads[n]), int(ends[n]) + 1)
        if odd[n] or any(r.t[mine][0] < c.at <= r.t[mine][-1] for c in declared):
            columns = (r.t[mine], r.v[mine], r.given[mine], float(modulus[hour]))
            one = Register(*columns, float(limit[int(at[n])]), declared, False, r.gradual[mine])
            _put(out, int(at[n]), one, steps(one, whole=False))
    return out


def _readings(hours: Partials, group: IntArray) -> _Readings:
    two = hours.last_t > hours.first_t
    place = np.repeat(np.arange(len(hours)), 1 + two)
    second = np.zeros(len(place), dtype=np.bool_)
    second[1:] = place[1:] == place[:-1]
    t = np.where(second, hours.last_t[place], hours.first_t[place])
    v = np.where(second, hours.last[place], hours.first[place])
    # A fall inside the hour: a reset, or a wrong reading; `registers` decides by what the hour counted after a reset.
    fell = second & ((hours.last < hours.first) | (hours.min < NOISE * hours.first))[place]
    return _Readings(t, v, np.where(fell, hours.increase[place], np.nan), group[place], second & (hours.n > 2)[place])


def _odd(r: _Readings, heads: IntArray, limit: FloatArray) -> BoolArray:
    """The groups whose register does more than grow: resets, rollovers, implausible steps."""
    rise = np.diff(r.v, prepend=np.nan)
    rise[heads] = 0.0
    hours = np.maximum(np.diff(r.t, prepend=0) / HOUR, 1.0)
    odd = (rise < 0) | (rise > np.fmin(POSSIBLE, limit[r.group] * hours)) | ~np.isnan(r.given)
    after = heads + 1
    after = after[after < len(r.t)]
    odd[after] |= rise[after] > np.maximum(r.v[after - 1], 1.0)
    return np.asarray(np.logical_or.reduceat(odd, heads))


def _put(out: DayPoints, at: int, r: Register, found: Steps) -> None:
    out.inside[at] = float(found.energy.sum())
    out.changed[at] = float(found.changed.sum())
    out.tail[at] = max(float(steps(r).energy.sum()) - out.inside[at], 0.0) if found.pending < len(r.v) else 0.0
    first = int(found.before[0]) if len(found.before) else 0
    last = int(found.after[-1]) if len(found.after) else first
    out.first[at], out.first_t[at] = r.v[first], r.t[first]
    out.last[at], out.last_t[at] = r.v[last], r.t[last]


def join(
    days: IntArray, points: DayPoints, midnights: IntArray, modulus: float, changes: Sequence[MeterChange] = (),
    limit: float = np.nan,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Energy and meter changes of every day of one register.

    `days`: those with readings, as places in the calendar that `midnights` bounds (one more than there are days);
    `points`: of these days. `limit`: units an hour that it can count, NaN where unknown.
    """
    energy, changed = np.zeros(len(midnights) - 1), np.zeros(len(midnights) - 1)
    energy[days], changed[days] = points.inside, points.changed
    energy[days[-1:]] += points.tail[-1:]
    if len(days) < 2:
        return energy, changed
    rise = points.first[1:] - points.last[:-1]
    gap = points.first_t[1:] - points.last_t[:-1]
    odd = (
        (rise < 0)
        | (rise > np.fmin(POSSIBLE, limit * np.maximum(gap / HOUR, 1.0)))
        | (points.first[1:] > 2 * points.last[:-1] + 1.0)
    )
    if odd.any() or changes:
        return _walk(days, points, midnights, Register(_NO_T, _NO_V, _NO_V, modulus, limit, changes, trusted=True))
    next_day = days[1:] == days[:-1] + 1
    after = np.where(gap > 0, rise * (points.first_t[1:] - midnights[days[1:]]) / np.maximum(gap, 1.0), rise)
    energy[days[1:][next_day]] += after[next_day]
    energy[days[:-1][next_day]] += (rise - after)[next_day]
    for n in np.flatnonzero(~next_day).tolist():
        a, b = int(days[n]), int(days[n + 1])
        energy[a : b + 1] += split(
            int(points.last_t[n]), int(points.first_t[n + 1]), float(rise[n]), midnights[a : b + 2]
        )
    return energy, changed


def _walk(days: IntArray, points: DayPoints, midnights: IntArray, empty: Register) -> tuple[FloatArray, FloatArray]:
    """As `join`, of a register that does more than grow; `empty`: the register without readings."""
    two = points.last_t > points.first_t
    place = np.repeat(np.arange(len(days)), 1 + two)
    second = np.zeros(len(place), dtype=np.bool_)
    second[1:] = place[1:] == place[:-1]
    t = np.where(second, points.last_t[place], points.first_t[place]).astype(np.int64)
    v = np.where(second, points.last[place], points.first[place])
    given = np.where(second, points.inside[place], np.nan)
    found = steps(empty._replace(t=t, v=v, given=given))
    energy, changed = np.zeros(len(midnights) - 1), np.zeros(len(midnights) - 1)
    energy[days[-1:]] += points.tail[-1:]
    for a, b, kwh, new in zip(*(c.tolist() for c in found[:4]), strict=True):
        x, y = int(days[place[a]]), int(days[place[b]])
        if x == y and b == a + 1 and second[b]:
            energy[x] += points.inside[place[b]]
            changed[x] += points.changed[place[b]]
            continue
        energy[x : y + 1] += split(t[a], t[b], kwh, midnights[x : y + 2])
        changed[y] += new
    return energy, changed


def covered(days: IntArray, points: DayPoints, interval: FloatArray, midnights: IntArray) -> FloatArray:
    """Time in ms of every day in which a register was read at both ends, as far as its interval reaches.

    For registers that are read every few hours or days, whose single readings show nothing about the time after them.
    `interval`: of each of `days`, ms. See `join` for the others.
    """
    out = np.zeros(len(midnights) - 1)
    for n in range(len(days)):
        a, start, end = int(days[n]), int(points.first_t[n]), int(points.last_t[n])
        out[a] += end - start
        if n + 1 < len(days):
            b = int(days[n + 1])
            until = int(points.first_t[n + 1])
            if until - end > 1.5 * interval[n]:
                until = end + int(interval[n])
            out[a : b + 1] += np.diff(np.clip(midnights[a : b + 2], end, until)).astype(np.float64)
    return out


class Spans(NamedTuple):
    """Steps between accepted readings: the register's place, times of both readings, energy."""

    place: IntArray
    start: IntArray
    end: IntArray
    energy: FloatArray


def spans(
    hours: Partials, place: IntArray, modulus: FloatArray, limit: FloatArray,
    changes: Callable[[int], Sequence[MeterChange]],
) -> Spans:  # fmt: skip
    """The accepted steps of many registers.

    `hours`: with readings, sorted by (place, start); `place`: of each; `modulus`: of each. `limit`: of each place.
    """
    r = _readings(hours, place)
    if not len(r.t):
        return Spans(r.group, r.t, r.t, r.v)
    heads = np.flatnonzero(np.concatenate(([True], r.group[1:] != r.group[:-1])))
    odd = _odd(r, heads, limit) | np.array([bool(changes(g)) for g in r.group[heads].tolist()], dtype=np.bool_)
    plain = np.repeat(~odd, np.diff(np.append(heads, len(r.t))))
    at = np.flatnonzero((r.group[1:] == r.group[:-1]) & plain[1:])
    found = [Spans(r.group[at], r.t[at], r.t[at + 1], r.v[at + 1] - r.v[at])]
    for n in np.flatnonzero(odd).tolist():
        mine = slice(int(heads[n]), int(heads[n + 1]) if n + 1 < len(heads) else len(r.t))
        g = int(r.group[mine][0])
        columns = r.t[mine], r.v[mine], r.given[mine], float(modulus[np.searchsorted(place, g)])
        some = steps(Register(*columns, float(limit[g]), changes(g), False, r.gradual[mine]))
        t = r.t[mine]
        found.append(Spans(np.full(len(some.energy), g), t[some.before], t[some.after], some.energy))
    return Spans(*(np.concatenate(column) for column in zip(*found, strict=True)))


def energies_between(
    hours: Partials, place: IntArray, modulus: FloatArray, bounds: IntArray, limit: FloatArray
) -> FloatArray:
    """As `energy_between` of many registers, bit for bit: those with as many readings, that only grow, together.

    `hours`: with readings, sorted by (place, start); `place`: of each. `modulus`, `limit`: of each place.
    """
    r, out = _readings(hours, place), np.zeros(len(limit))
    heads = np.flatnonzero(np.diff(r.group, prepend=-1))
    sizes = np.diff(np.append(heads, len(r.t)))
    for size in np.unique(sizes[sizes > 1]).tolist():
        some = heads[sizes == size]
        at, mine = some[:, None] + np.arange(size), r.group[some]
        plain = plain_rows(r.t[at], r.v[at], r.given[at], limit[mine])
        out[mine[plain]] = _between(r.t[at[plain]], np.diff(r.v[at[plain]], axis=1), bounds)
        for number in mine[~plain].tolist():
            own = hours.take(slice(*np.searchsorted(place, [number, number + 1]).tolist()))
            out[number] = energy_between(own, float(modulus[number]), bounds, float(limit[number]))
    return out


def _between(t: IntArray, energy: FloatArray, bounds: IntArray) -> FloatArray:
    """Energy of the steps between the readings at `t`, one register a row, of what lies between two times."""
    start, end = bounds.tolist()
    first = (t < start).sum(axis=1)  # steps from here on lie inside, up to the one that ends last before `end`
    count = np.maximum((t[:, 1:] <= end).sum(axis=1) - first, 0)
    out = np.zeros(len(t))
    for a, n in sorted(set(zip(first.tolist(), count.tolist(), strict=True))):
        rows = (first == a) & (count == n)
        out[rows] = np.ascontiguousarray(energy[rows][:, a : a + n]).sum(axis=1)
    before, after = t[:, :-1], t[:, 1:]
    across = ((before < start) | (after > end)) & (before < end) & (after > start)
    part = energy * (np.clip(end, before, after) - np.clip(start, before, after)) / np.maximum(after - before, 1)
    for step in np.flatnonzero(across.any(axis=0)).tolist():
        rows = across[:, step]
        out[rows] += part[rows, step]
    return out


def energy_between(hours: Partials, modulus: float, bounds: IntArray, limit: float = np.nan) -> float:
    """The increase of one register between two times; `hours`: its own, sorted, with some before and after."""
    r = _readings(hours, np.zeros(len(hours), dtype=np.int64))
    found = steps(Register(r.t, r.v, r.given, modulus, limit, (), False, r.gradual))
    inside = (r.t[found.before] >= bounds[0]) & (r.t[found.after] <= bounds[1])
    total = float(found.energy[inside].sum())
    for n in np.flatnonzero(~inside).tolist():
        before, after = int(r.t[found.before[n]]), int(r.t[found.after[n]])
        if before < bounds[1] and after > bounds[0]:
            total += float(split(before, after, float(found.energy[n]), bounds)[0])
    return total
