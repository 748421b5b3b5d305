"""Recent partials kept in memory, so that live data need not be read back from the store. Older ones are read.

Promise: `read` gives what the store holds once everything passed to `add` has been stored there, provided that nobody
else writes this city's partials.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from kpi_derivation.engine.derived import TARGET
from kpi_derivation.engine.narrow import Narrow, Plain, packed
from telemetry.partials import Partials
from telemetry.series import BoolArray, IntArray, SeriesTable

_BLOCKS = 8  # that the time in memory is divided into
_PART = 14  # bits of a series' number within its part
_FEW = 50  # series that are looked up one by one
_SPREAD = 4 * _BLOCKS  # blocks among which the partials of one `add` are divided at most
_WIDE = 1 << 60  # the block of partials that are spread over more
_MERGED = 1 << 14  # rows of a run of that block which is still merged with the next: it is read a few times only
_ALWAYS, _NEVER = -(1 << 60), 1 << 53

Run = Narrow | Plain


class History(Protocol):
    """What the engine reads back: the store's partials."""

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """Partials of a city with start in [start, end)."""


@runtime_checkable
class InPieces(Protocol):
    """A history that gives all partials of a time in pieces, each of some series of a part of the time, in its order.

    Of 100,000 meters an hour of windows is six million rows, which a store reads as a whole to give them in order.
    """

    def pieces(
        self, city: str, level: Literal["window", "hour"], start: int, end: int, table: SeriesTable
    ) -> Iterator[Partials]:
        """Partials of all series of a city with start in [start, end)."""


class _Added:
    """All that was added to a store which had none: from when to when of each series, and the last partials of a past
    time. A file in the order of devices is all in the past, and its windows need not be read back.
    """

    def __init__(self) -> None:
        self._first, self._last = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self.fresh = Partials.empty()
        self._noted: tuple[IntArray, IntArray] = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)

    def add(self, partials: Partials, floor: int) -> None:
        """Note partials, of which those from the floor on are in memory."""
        self.settle()
        self.fresh, self._noted = partials.where(partials.start < floor), (partials.series, partials.start)

    def settle(self) -> None:
        """Those that were added last are as all others from now on."""
        series, start = self._noted
        more = int(series.max(initial=-1)) + 1 - len(self._first)
        if more > 0:
            self._first = np.append(self._first, np.full(more, _NEVER))
            self._last = np.append(self._last, np.full(more, _ALWAYS))
        np.minimum.at(self._first, series, start)
        np.maximum.at(self._last, series, start)
        self.fresh, self._noted = Partials.empty(), (series[:0], start[:0])

    def earlier(self, start: int, end: int, series: IntArray) -> tuple[IntArray, int, int]:
        """Of which of these series the store may hold more than `fresh` in [start, end), and from when to when."""
        known = series[series < len(self._first)]
        known = known[(self._first[known] < end) & (self._last[known] >= start)]
        if not len(known):
            return known, start, start
        return known, max(start, int(self._first[known].min())), min(end, int(self._last[known].max()) + 1)


class Recent:
    """The partials of one level from some time on; at least those within `keep` ms of the newest.

    They are in blocks of an eighth of `keep` and at most 16,384 series: what arrives is merged with its block alone,
    and a time is removed as a whole. A block is a list of sorted runs, each at least twice as long as the next; later
    runs replace earlier ones.
    """

    def __init__(
        self, history: History, city: str, level: Literal["window", "hour"], table: SeriesTable, keep: int
    ) -> None:
        self._history, self._city, self._level, self._table, self._keep = history, city, level, table, keep
        self._width = max(keep // _BLOCKS, 1)
        self._blocks: dict[tuple[int, int], list[Run]] = {}  # by start // width and part of the series
        self._floor = self._newest = _ALWAYS  # everything stored from the floor on is in memory
        self._added: _Added | None = None

    def begin(self) -> None:
        """The store has none, and will hold all that is added."""
        self._added = _Added()

    def start(self, newest: int) -> None:
        """Load recent partials from a store whose newest partial is at `newest`."""
        self._floor = self._newest = self._block_start(newest - self._keep)
        self._blocks.clear()
        for stored in self._pieces(self._floor, _NEVER):
            self.add(stored)

    def stored(self, start: int, end: int, series: IntArray | None) -> Iterator[Partials]:
        """Partials of the store with start in [start, end).

        In pieces where memory reaches back to `start`, or is empty yet; else in one.
        """
        if series is None and self.at_hand(start):
            yield from self._pieces(start, end)
        else:
            read = self._history.partials(self._city, self._level, start, end, self._table, series)
            yield Partials.concat(list(read))

    def _pieces(self, start: int, end: int) -> Iterator[Partials]:
        """Partials of the store with start in [start, end), as it has them."""
        read = self._history.pieces if isinstance(self._history, InPieces) else self._history.partials
        return read(self._city, self._level, start, end, self._table)

    def add(self, partials: Partials) -> None:
        """Note partials that are in the store, or will be before it is read next."""
        if self._added is not None:
            self._added.add(partials, self._floor)
        fresh = partials.where(partials.start >= self._floor)
        if not len(fresh):
            return
        self._newest = max(self._newest, int(fresh.start.max()))
        block = fresh.start // self._width
        numbers = np.unique(block).tolist()
        if len(numbers) > _SPREAD or (_WIDE, 0) in self._blocks:  # what is wide has to be replaced where it is
            self._put((_WIDE, 0), fresh)
            return
        for number in numbers:
            mine = fresh.where(block == number)
            part = self._part(mine.series)
            for some in np.unique(part).tolist():
                self._put((number, some), mine.where(part == some))

    def _part(self, series: IntArray) -> IntArray:
        """The part of each series: of quarters those of their own, because of these few columns are stored."""
        return 2 * (series >> _PART) + self._table.has(TARGET, series)

    def _put(self, key: tuple[int, int], partials: Partials) -> None:
        """Append a run to a block; merge runs so that there are few."""
        runs, fresh, most = self._blocks.setdefault(key, []), partials.latest(), _MERGED if key[0] == _WIDE else 1 << 60
        # Windows of a long time, as of a recorded year, are removed as soon as their hours are made.
        runs.append(Plain(fresh) if key[0] == _WIDE and self._level == "window" else packed(fresh))
        while len(runs) > 1 and 2 * len(runs[-1]) > len(runs[-2]) < most:
            newest = runs.pop()
            runs[-1] = packed(Partials.concat([runs[-1].all(), newest.all()]).latest())

    def trim(self, needed: int = _NEVER) -> None:
        """Remove partials older than `keep` and before the time `needed`, a block or more at a time."""
        if self._added is not None:
            self._added.settle()
        floor = self._block_start(min(self._newest - self._keep, needed))
        if floor <= self._floor:
            return
        self._floor = floor
        wide = self._blocks.pop((_WIDE, 0), [])
        self._blocks = {key: runs for key, runs in self._blocks.items() if key[0] * self._width >= floor}
        for run in wide:
            self.add(run.take(run.rows(floor, _NEVER, None)))

    def _block_start(self, time: int) -> int:
        return time // self._width * self._width

    @property
    def newest(self) -> int:
        """Start of the newest partial."""
        return self._newest

    def at_hand(self, start: int) -> bool:
        """Whether partials from `start` on are in memory."""
        return start >= self._floor

    def bytes(self) -> int:
        """Bytes of the partials in memory."""
        return sum(run.bytes for runs in self._blocks.values() for run in runs)

    def read(self, start: int, end: int, series: IntArray | None = None) -> Iterator[Partials]:
        """Partials with start in [start, end), of these series; each chunk sorted by (series, start)."""
        if start < self._floor:
            until = min(end, self._floor)
            yield from self._older(start, until, series)
            start = until
        if start < end:
            parts = [run.take(rows) for run, rows in self._found(start, end, series)]
            yield Partials.concat(parts).latest()

    def _older(self, start: int, end: int, series: IntArray | None) -> Iterator[Partials]:
        """The same of the time before what is in memory."""
        if self._added is None or series is None:
            yield from self._history.partials(self._city, self._level, start, end, self._table, series)
            return
        earlier, first, last = self._added.earlier(start, end, series)
        parts: list[Partials] = []
        if len(earlier):
            parts += self._history.partials(self._city, self._level, first, last, self._table, earlier)
        fresh = self._added.fresh
        mine = (fresh.start >= start) & (fresh.start < end) & np.isin(fresh.series, series)
        yield Partials.concat([*parts, fresh.where(mine)]).latest()

    def _found(self, start: int, end: int, series: IntArray | None) -> Iterator[tuple[Run, IntArray]]:
        """The runs and their rows."""
        if series is not None and len(series) <= _FEW:
            few = np.unique(series)
            yield from ((run, run.rows_of_few(start, end, few)) for run in self._runs(start, end, few))
            return
        wanted = None if series is None else _as_mask(series)
        yield from ((run, run.rows(start, end, wanted)) for run in self._runs(start, end, series))

    def _runs(self, start: int, end: int, series: IntArray | None) -> Iterator[Run]:
        """The runs in which partials of these series with start in [start, end) may be, in the order of arrival."""
        first, last = start // self._width, (end - 1) // self._width
        parts = None if series is None else set(np.unique(self._part(series)).tolist())
        for (number, part), runs in self._blocks.items():
            if number == _WIDE:  # a run each of many times, of which few are read
                yield from (run for run in runs if run.first < end and run.last >= start)
            elif first <= number <= last and (parts is None or part in parts):
                yield from runs


def _as_mask(series: IntArray) -> BoolArray:
    """Whether each series is one of these, by number; the last entry is False."""
    wanted = np.zeros(int(series.max(initial=-1)) + 2, dtype=np.bool_)
    wanted[series] = True
    return wanted
