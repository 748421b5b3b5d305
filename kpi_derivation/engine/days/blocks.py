"""The hours of some days of some series, as a column family folds them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from kpi_derivation.rules.metering.registers import MeterChange
from kpi_derivation.rules.valid_hours import hour_columns
from telemetry.partials import Partials
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import HOUR

LEAD = 7  # hours before the day that come with it: the first running 8-hour mean of a day needs them
HOURS = LEAD + 25  # a day has up to 25


class Placed(NamedTuple):
    """Hours sorted by (series, start), with the grid row and the civil day (ordinal) of each."""

    hours: Partials
    row: IntArray
    day: IntArray

    def where(self, wanted: BoolArray) -> Placed:
        """The hours that are wanted; no copy where all are."""
        if wanted.all():
            return self
        rows = np.flatnonzero(wanted)
        return Placed(self.hours.take(rows), self.row[rows], self.day[rows])


class Source(NamedTuple):
    """What a block reads from the engine.

    `midnights`: UTC ms at which days begin. `quantity`, `modulus`: of rows. `measures`: which
    rows are of some quantities. `interval`: ms a reading stands for,
    of (rows, days). `around`: all hours of these rows that are at hand, those before the days too. `changes`:
    declared meter changes of a row; `limit`: units an hour that registers of rows can count, NaN where unknown.
    `eu_scale`: µg/m³ by the EU's conversion for one as stored, of a row.
    """

    zone: ZoneInfo
    hour_capture: float
    midnights: Callable[[IntArray], IntArray]
    quantity: Callable[[int], str]
    measures: Callable[[IntArray, frozenset[str]], BoolArray]
    modulus: Callable[[IntArray], FloatArray]
    interval: Callable[[IntArray, IntArray], FloatArray]
    around: Callable[[IntArray], Placed]
    changes: Callable[[IntArray], list[Sequence[MeterChange]]]
    eu_scale: Callable[[int], float]
    limit: Callable[[IntArray], FloatArray]


class Block:
    """Groups of hours, one a (series row, civil day). `own`: their hours, those of a group beside each other."""

    def __init__(self, own: Placed, source: Source) -> None:
        self.own, self._source = own, source
        new = np.ones(len(own.row), dtype=np.bool_)
        new[1:] = (own.row[1:] != own.row[:-1]) | (own.day[1:] != own.day[:-1])
        self.starts = np.flatnonzero(new)  # the first hour of each group
        self.group = np.cumsum(new) - 1  # of each hour
        self.row, self.day = own.row[self.starts], own.day[self.starts]
        self.zone, self.hour_capture = source.zone, source.hour_capture

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, quantities: frozenset[str]) -> Block:
        """The groups of these quantities."""
        return Block(self.own.where(self._source.measures(self.own.row, quantities)), self._source)

    @cached_property
    def quantity(self) -> list[str]:
        """The quantity of each group."""
        known = {r: self._source.quantity(r) for r in np.unique(self.row).tolist()}
        return [known[r] for r in self.row.tolist()]

    @cached_property
    def changes(self) -> list[Sequence[MeterChange]]:
        """Declared meter changes of each group."""
        return self._source.changes(self.row)

    @cached_property
    def limit(self) -> FloatArray:
        """Units an hour that the register of each group can count; NaN where unknown."""
        return self._source.limit(self.row)

    @cached_property
    def eu_scale(self) -> FloatArray:
        """µg/m³ by the EU's conversion for one as stored, of each group."""
        known = {r: self._source.eu_scale(r) for r in np.unique(self.row).tolist()}
        return np.array([known[r] for r in self.row.tolist()], dtype=np.float64)

    @cached_property
    def length(self) -> IntArray:
        """How many hours the day of each group has: 23 to 25."""
        days = np.unique(self.day)
        lengths = (self._source.midnights(days + 1) - self._source.midnights(days)) // HOUR
        return lengths[np.searchsorted(days, self.day)]

    @property
    def modulus(self) -> FloatArray:
        """Of each hour: where its counter rolls over, NaN for other quantities."""
        return self._source.modulus(self.own.row)

    @property
    def interval(self) -> FloatArray:
        """Of each hour: ms a reading stands for; NaN where unknown."""
        return self._source.interval(self.own.row, self.own.day)

    @cached_property
    def valid(self) -> FloatArray:
        """Means of the valid hours, NaN elsewhere, shape (groups, HOURS); column LEAD begins at midnight."""
        hours, row, day = self._source.around(np.unique(self.row))
        interval = self._source.interval(row, day)
        ok = hour_columns(hours.n, hours.mean, interval, self.hour_capture)["hours"] > 0
        value = np.where(ok, hours.mean, np.nan)
        days = np.unique(day)
        starts = self._source.midnights(days)
        at = np.searchsorted(days, day)
        lengths = (self._source.midnights(days + 1) - starts) // HOUR
        return _laid_out(self.row, self.day, row, day, (hours.start - starts[at]) // HOUR, lengths[at], value)


def _laid_out(
    group_row: IntArray, group_day: IntArray, row: IntArray, day: IntArray, hour: IntArray, length: IntArray,
    value: FloatArray,
) -> FloatArray:  # fmt: skip
    """Each value in the group of its day, and in the lead of the next. `hour`: of its day; `length`: of the day."""
    out = np.full((len(group_row), HOURS), np.nan)
    if not len(out):
        return out
    width = int(max(group_day.max(initial=0), day.max(initial=0))) + 2
    keys = group_row * width + group_day
    order = np.argsort(keys)
    for shift, slot in ((0, LEAD + hour), (1, LEAD + hour - length)):
        mine = row * width + day + shift
        at = order[np.minimum(np.searchsorted(keys, mine, sorter=order), len(keys) - 1)]
        ok = (keys[at] == mine) & (slot >= 0) & (slot < HOURS)
        out[at[ok], slot[ok]] = value[ok]
    return out
