"""Rows of partials and KPI values, for stores that are databases with tables: names and order of the columns, made from
the one description of each row, and rows from values and back.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from adapters.store import CityRecord, Level
from telemetry.kpi_row import FIELDS, IDENTITY, row_of, value_of
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials, column_type
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR

# Columns of partials beside their identity, and of KPI values, in the order in which they are written and read.
PARTIAL_COLUMNS = tuple(f.name for f in fields(Partials) if f.name not in ("series", "start"))
KPI_COLUMNS = (*IDENTITY, *(f.name for f in FIELDS if f.name not in IDENTITY))
_IN_ORDER = itemgetter(*KPI_COLUMNS)


FEW = 500  # series whose ids are read one by one, instead of those of the whole city
BUCKET: dict[Level, int] = {"window": HOUR, "hour": DAY}  # ms: rows are read in whole buckets


def nullable(column: np.ndarray[Any, Any]) -> list[Any]:
    """A column as Python values, NaN as None."""
    values = column.tolist()
    if column.dtype.kind == "f" and np.isnan(column).any():
        return [None if v != v else v for v in values]  # noqa: PLR0124 - NaN is what differs from itself
    return list(values)


def transposed(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows of `width` values each, as columns: a sixth of the time of `zip`."""
    values = list(chain.from_iterable(rows))
    return [values[place::width] for place in range(width)]


def partials_of(rows: list[Any], lookup: IntArray) -> Partials:
    """Columns from rows (series, start, ...), sorted by (series, start). `lookup`: the id of each of the store's."""
    series, start, *rest = transposed(rows, 2 + len(PARTIAL_COLUMNS))
    columns: list[Any] = [lookup[np.array(series, dtype=np.int64)], np.array(start, dtype=np.int64)]
    columns += [np.array(c, dtype=column_type(name)) for name, c in zip(PARTIAL_COLUMNS, rest, strict=True)]
    partials = Partials(*columns)
    return partials.take(np.lexsort((partials.start, partials.series)))


@dataclass(slots=True)
class CityNumbers:
    """The store's id of the series of one city, by the number in a table. `newest`: the largest id that was read."""

    own: dict[int, int] = field(default_factory=dict)
    newest: int = 0

    def add(self, rows: Iterable[Sequence[Any]], city: str, table: SeriesTable) -> None:
        """Rows (id, device, quantity) that the store holds."""
        for own, device, quantity in rows:
            self.own[table.id_of(Series(city, device, quantity))] = own
            self.newest = max(self.newest, own)

    def lacking(self, city: str, table: SeriesTable, wanted: IntArray | None) -> list[tuple[str, str]] | None:
        """Device and quantity of the few wanted series whose id is not known, to be read alone; None: read all."""
        if wanted is None or len(wanted) > FEW:
            return None
        names = [table[number] for number in wanted.tolist() if number not in self.own]
        return [(name.device, name.quantity) for name in names if name.city == city]

    def add_some(self, rows: Iterable[Sequence[Any]], city: str, table: SeriesTable) -> None:
        """The same of single series; of those below `newest` others may not have been read."""
        self.own.update((table.id_of(Series(city, device, quantity)), own) for own, device, quantity in rows)


class SeriesNumbers:
    """What was read of the series of a store, by table and city: a store only adds series."""

    def __init__(self) -> None:
        self._read: WeakKeyDictionary[SeriesTable, dict[str, CityNumbers]] = WeakKeyDictionary()

    def of(self, city: str, table: SeriesTable) -> CityNumbers:
        """Those of one city, to be brought up to date by the store."""
        return self._read.setdefault(table, {}).setdefault(city, CityNumbers())


class CityTexts:
    """City files as they were last read: that of 10,000 devices is a megabyte of JSON, and every reader needs it."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, str, CityRecord]] = {}

    def record(self, city: str, config: str, width: int, reads: str) -> CityRecord:
        """The record of a row; the same one as long as its texts are the same."""
        held = self._held.get(city)
        if held is None or held[:2] != (config, reads) or held[2].width != width:
            held = config, reads, CityRecord(city, json.loads(config), width, json.loads(reads))
            self._held[city] = held
        return held[2]

    def forget(self, city: str) -> None:
        """Let go of a city's file, which this process has written: a program that writes it seldom reads it."""
        self._held.pop(city, None)


def own_numbers(own: Mapping[int, int], wanted: IntArray | None) -> tuple[list[int], IntArray]:
    """Which of a store's series to read, and `lookup` of `partials_of`. `own`: the store's id of each number of the
    table; `wanted`: numbers of the table, None for all.
    """
    chosen = dict(own) if wanted is None else {number: own[number] for number in wanted.tolist() if number in own}
    ids = list(chosen.values())
    lookup = np.full(max(ids, default=-1) + 1, -1, dtype=np.int64)
    lookup[ids] = list(chosen)
    return ids, lookup


def in_buckets(pieces: Iterable[list[Any]], level: Level, lookup: IntArray) -> Iterator[Partials]:
    """Rows in the order of time, in pieces of any size, as partials of whole buckets: chunks are in time order."""
    width = BUCKET[level]
    pending: list[Any] = []
    for rows in pieces:
        pending += rows
        cut = bisect_left(pending, pending[-1][1] // width, key=lambda row: row[1] // width)
        if cut:
            yield partials_of(pending[:cut], lookup)
            pending = pending[cut:]
    if pending:
        yield partials_of(pending, lookup)


def kpi_row(stored: StoredKpi) -> tuple[Any, ...]:
    """The row of a stored value, in the order of KPI_COLUMNS."""
    row: tuple[Any, ...] = _IN_ORDER(row_of(stored))
    return row


def stored_kpi(row: Sequence[Any]) -> StoredKpi:
    """The stored value of such a row."""
    return value_of(dict(zip(KPI_COLUMNS, row, strict=True)))
