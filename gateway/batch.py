"""A batch of decoded rows on its way into the buffer: units converted, quality checked, as columns.

The only path of readings, whether they arrive by MQTT or in a file. Flags mark, they never delete.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.decoding.decoded import Decoded, Frames, Line
from gateway.decoding.plain import Shape
from gateway.plausible import FRAME, IMPOSSIBLE, NOTHING, FrameTable, Registered
from telemetry.quantities import QUANTITIES, conversion
from telemetry.readings import Readings
from telemetry.series import BoolArray, FloatArray, IntArray, Series, SeriesTable
from telemetry.units import between

OUT_OF_RANGE, SENTINEL, ZERO_REGISTER = 1, 2, 3
_KINDS, _LONGEST = 100_000, 120
_FEW = 4  # plain messages
_NOT_DECLARED = (
    '%s of %s sends %s in %s, which its [[device]] entry does not say: add in_ppb = ["%s"]. Without it, limits that'
    " convert at another temperature, as the EU's do, are held with the publisher's factor of %g."
)
log = logging.getLogger(__name__)
REASONS = {
    OUT_OF_RANGE: "out of the plausible range",
    SENTINEL: "a value that instruments send for 'no value'",
    ZERO_REGISTER: "a meter register that reads exactly 0",
    FRAME: "of a measurement of which another value was flagged",
    IMPOSSIBLE: "impossible beside the other values of the measurement",
}


class _Kind(NamedTuple):
    """How rows of one (city, device, quantity, unit) are treated; `problem` says why they cannot be."""

    series: int
    numerator: float
    denominator: float
    offset: float
    problem: str | None


_Undated = tuple[list[int], int, int, int]  # kinds, key, arrival and source of a message


class Batch:
    """Collects rows of many messages, then gives them as flagged `Readings`."""

    def __init__(self, table: SeriesTable, registered: Registered = NOTHING) -> None:
        self._table, self._registered = table, registered
        self._frames = FrameTable(table, registered)
        self._clear_kinds()
        self.clear()

    def _clear_kinds(self) -> None:
        self._kinds: list[_Kind] = []
        self._known: dict[tuple[str, str], dict[tuple[str, str | None], int]] = {}  # by device
        self._wrong: dict[int, str] = {}
        self.generation = object()  # of the numbers of kinds
        self._columns = _Columns.of([], self._table)

    def clear(self) -> None:
        """Remove the rows; the conversions of units stay cached."""
        if len(self._kinds) > _KINDS:  # bounds the memory that ever new names can use
            self._clear_kinds()
        self._kind: list[int] = []
        self._value: list[float] = []
        self._t: list[int] = []
        self._key: list[int] = []
        self._arrival: list[int] = []
        self._source: list[int] = []
        self.lines: list[Line] = []
        # Of plain messages that are dated by their arrival, one entry each; their values follow each other.
        self.plain: list[_Undated] = []
        self.plain_value: list[float] = []

    def __len__(self) -> int:
        return len(self._kind) + len(self.plain_value)

    def add(self, city: str, device: str, rows: Decoded, arrival: int, source: int) -> list[str]:
        """Add one message's rows; `source` is the caller's number for it. Returns the problems found."""
        problems = rows.problems
        used: set[int] = set()
        known, wrong = self._known.get((city, device), {}), self._wrong
        kinds, values, times, keys = self._kind, self._value, self._t, self._key
        before, last, is_finite = len(kinds), None, math.isfinite
        if rows.frames is not None:
            self._frames.declare(city, device, rows.frames)
        for quantity, unit, value, t, key, record in rows.rows:
            kind = known.get((quantity, unit))
            if kind is None:
                kind, known = self._add_kind(city, device, quantity, unit)
            if kind in wrong or not is_finite(value):
                problems = [*problems, wrong.get(kind, f"'{quantity}' is not a finite number")]
                continue
            kinds.append(kind)
            values.append(value)
            times.append(t)
            keys.append(key)
            if record != last:
                used.add(record)
                last = record
        self._arrival += [arrival] * (len(kinds) - before)
        self._source += [source] * (len(kinds) - before)
        if rows.records:
            self._add_lines(city, device, rows, used)
        return problems

    def known(self, name: tuple[str, str], shape: Shape) -> list[int] | None:
        """The kinds of all values of messages of this shape from a device; None where one of them cannot be used."""
        if shape.of is not self.generation:
            shape.kinds, shape.of = {}, self.generation
        if name not in shape.kinds:
            kinds = [self.kind(*name, *entry) for entry in shape.entries]
            if not self._wrong.keys().isdisjoint(kinds):
                return None
            shape.kinds[name] = kinds
        return shape.kinds[name]

    def declare(self, name: tuple[str, str], frames: Frames) -> None:
        """What a device measures together."""
        self._frames.declare(*name, frames)

    def add_dated(
        self, kinds: list[int], values: Sequence[float], t: int, arrival: int, source: int, line: Line | None
    ) -> None:
        """Add a plain message that has a time, and its number; of those without one see `plain`."""
        if line is not None:
            self.lines.append(line)
        count = len(kinds)
        self._kind += kinds
        self._value += values
        self._t += [t] * count
        self._key += [0] * count
        self._arrival += [arrival] * count
        self._source += [source] * count

    def _add_lines(self, city: str, device: str, rows: Decoded, used: set[int]) -> None:
        """Note the numbered records of a message; `used`: those of which something could be used."""
        for place, (boot, seq) in enumerate(rows.records):
            self.lines.append(Line(city, device, boot, seq, place in used, rows.by_arrival))
        for boot, seq in rows.ended:
            self.lines.append(Line(city, device, boot, seq, None))

    def kind(self, city: str, device: str, quantity: str, unit: str | None) -> int:
        """The number under which rows of this kind are converted; see `problem`."""
        found = self._known.get((city, device), {}).get((quantity, unit))
        return self._add_kind(city, device, quantity, unit)[0] if found is None else found

    def converted(self, kind: int, value: float) -> float:
        """One value in the catalogue unit, as `convert` makes it."""
        how = self._kinds[kind]
        return value * how.numerator / how.denominator + how.offset

    def problem(self, kind: int) -> str | None:
        """Why rows of this kind cannot be used, None when they can."""
        return self._wrong.get(kind)

    def _add_kind(
        self, city: str, device: str, quantity: str, unit: str | None
    ) -> tuple[int, dict[tuple[str, str | None], int]]:
        """The number of a new kind, and all kinds of its device. Of names and units that are too long to be one of the
        catalogue the beginning is kept: a sender can write any number of them.
        """
        quantity, unit = quantity[:_LONGEST], unit[:_LONGEST] if unit else unit
        entry = QUANTITIES.get(quantity)
        convert = conversion(entry, entry.unit if unit is None else unit) if entry else None
        if entry is None or convert is None:
            what = (
                f"unknown quantity '{quantity[:40]}'" if entry is None else f"unit '{str(unit)[:20]}' for '{quantity}'"
            )
            made = _Kind(-1, 1.0, 1.0, 0.0, what if entry is None else f"unknown {what}; expected {entry.unit}")
        else:
            made = _Kind(self._table.id_of(Series(city, device, quantity)), *convert, None)
            if unit and (city, device, quantity) in self._registered.by_mass and between(unit, entry.unit) is None:
                log.warning(_NOT_DECLARED, device, city, quantity, unit, quantity, entry.ug_per_ppb)
        self._kinds.append(made)
        if made.problem:
            self._wrong[len(self._kinds) - 1] = made.problem
        known = self._known.setdefault((city, device), {})
        known[quantity, unit] = len(self._kinds) - 1
        return len(self._kinds) - 1, known

    def readings(self) -> tuple[Readings, IntArray]:
        """The rows as readings with flags, and each row's source number; `arrived` are the last ones."""
        columns: list[Any] = [self._kind, self._key, self._arrival, self._source, self._t, self._value]
        if len(self.plain) > _FEW:
            columns = _with_plain(columns, self.plain, self.plain_value)
        elif self.plain:
            columns = _with_few(columns, self.plain, self.plain_value)
        kind, key, arrival, source, t, value = columns
        return self.convert(kind, value, t, key, arrival), np.asarray(source, dtype=np.int64)

    def arrived(self, readings: Readings, source: IntArray) -> BoolArray | None:
        """The rows of plain messages that are dated by their arrival and wholly accepted; None where there are none."""
        if not self.plain:
            return None
        found = np.ones(len(readings), dtype=np.bool_)
        found[: len(self._kind)] = False
        if np.count_nonzero(readings.flag):
            found &= ~np.isin(source, source[readings.flag != 0])
        return found

    def convert(
        self,
        kind: Sequence[int] | IntArray,
        value: Sequence[float] | FloatArray,
        t: Sequence[int] | IntArray,
        key: Sequence[int] | IntArray | None = None,
        arrival: Sequence[int] | IntArray | None = None,
    ) -> Readings:
        """Columns in the senders' units as flagged readings in catalogue units. Every kind must be without problem."""
        k = np.asarray(kind, dtype=np.int64)
        known = self._kind_columns()
        with np.errstate(over="ignore"):  # what overflows is infinite, and out of every range
            scaled = np.asarray(value, dtype=np.float64) * known.numerator[k] / known.denominator[k]
        converted = scaled + known.offset[k]
        made = Readings.of(known.series[k], t, converted, key, arrival, known.flags(k, converted))
        self._frames.check(made)
        return made

    def _kind_columns(self) -> _Columns:
        """The kinds as columns."""
        fresh = self._kinds[len(self._columns.series) :]
        if fresh:
            self._columns = self._columns.joined(_Columns.of(fresh, self._table, self._registered))
        return self._columns


def _with_few(usual: list[list[Any]], plain: list[_Undated], value: list[float]) -> Any:  # noqa: ANN401 - columns
    """The same as `_with_plain`, in half the time for a message or two."""
    kind, key, arrival, source, t = (list(column) for column in usual[:-1])
    for kinds, its_key, at, its_source in plain:
        count = len(kinds)
        kind += kinds
        key += [its_key] * count
        arrival += [at] * count
        source += [its_source] * count
        t += [at] * count
    return [kind, key, arrival, source, t, usual[-1] + value]


def _with_plain(usual: list[list[Any]], plain: list[_Undated], value: list[float]) -> Any:  # noqa: ANN401 - columns
    """Columns of rows, followed by the rows of plain messages: kind, key, arrival, source, time, value."""
    kinds, *others = zip(*plain, strict=True)
    kind = np.fromiter(chain.from_iterable(kinds), dtype=np.int64, count=len(value))
    counts = np.fromiter(map(len, kinds), dtype=np.int64, count=len(kinds))
    key, arrival, source = (np.array(column, dtype=np.int64).repeat(counts) for column in others)
    columns = [kind, key, arrival, source, arrival, np.array(value, dtype=np.float64)]
    if not usual[0]:
        return columns
    return [np.concatenate([np.asarray(a, dtype=b.dtype), b]) for a, b in zip(usual, columns, strict=True)]


class _Columns(NamedTuple):
    """Properties of each kind, one row a kind: conversion, plausible range, values that mean 'no value'."""

    series: IntArray
    numerator: FloatArray
    denominator: FloatArray
    offset: FloatArray
    low: FloatArray
    high: FloatArray
    zero_is_missing: npt.NDArray[np.bool_]
    sentinels: dict[float, npt.NDArray[np.bool_]]

    @staticmethod
    def of(kinds: Sequence[_Kind], table: SeriesTable, registered: Registered = NOTHING) -> _Columns:
        """From the kinds; one that cannot be used has an empty range."""
        found = [QUANTITIES[table[k.series].quantity] if k.series >= 0 else None for k in kinds]
        numbers = np.array([k[:4] for k in kinds], dtype=np.float64).reshape(-1, 4)
        spans = [registered.range_of(*table[k.series]) if k.series >= 0 else (math.nan, math.nan) for k in kinds]
        low, high = np.array(spans, dtype=np.float64).reshape(-1, 2).T
        zero = np.array([q is not None and q.zero_is_missing for q in found], dtype=np.bool_)
        every = sorted({s for q in found if q for s in q.sentinels})
        has = {s: np.array([q is not None and s in q.sentinels for q in found], dtype=np.bool_) for s in every}
        series, numerator, denominator, offset = numbers.T
        return _Columns(series.astype(np.int64), numerator, denominator, offset, low, high, zero, has)

    def joined(self, more: _Columns) -> _Columns:
        """These kinds and more."""
        none, nobody = np.zeros(len(self.series), dtype=np.bool_), np.zeros(len(more.series), dtype=np.bool_)
        sentinels = {
            value: np.concatenate([self.sentinels.get(value, none), more.sentinels.get(value, nobody)])
            for value in self.sentinels | more.sentinels
        }
        columns = {name: np.concatenate([getattr(self, name), getattr(more, name)]) for name in self._fields[:-1]}
        return _Columns(**columns, sentinels=sentinels)

    def flags(self, kind: IntArray, value: FloatArray) -> IntArray:
        """0 for accepted values, else why not (REASONS). Looks at each value alone."""
        flags = np.zeros(len(kind), dtype=np.int64)
        flags[(value < self.low[kind]) | (value > self.high[kind])] = OUT_OF_RANGE
        if not self.sentinels.keys().isdisjoint(value.tolist()):  # all at once: a batch rarely holds any
            for sentinel, has in self.sentinels.items():
                flags[(value == sentinel) & has[kind]] = SENTINEL
        zero = value == 0
        if np.count_nonzero(zero):  # for a message alone in a fifth of the time of any()
            flags[zero & self.zero_is_missing[kind]] = ZERO_REGISTER
        return flags


def describe_flags(readings: Readings, rows: Iterable[int], table: SeriesTable) -> list[str]:
    """A sentence for each flagged row."""
    return [
        f"'{table[int(readings.series[i])].quantity}' = {readings.value[i]:g} is {REASONS[int(readings.flag[i])]}"
        for i in rows
    ]


def joined(reasons: list[str]) -> str:
    """Reasons as one line, equal ones counted. Half a surrogate pair, which JSON can spell, is shown as its escape."""
    counted = Counter(reasons)
    line = "; ".join(r if n == 1 else f"{r} ({n} times)" for r, n in list(counted.items())[:20])
    return line.encode("utf-8", "backslashreplace").decode()
