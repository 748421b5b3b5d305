"""InfluxQL: the queries of the store, and their rows as partials, KPI values and cities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import GenericAlias
from typing import Any

import msgspec
import numpy as np

from adapters.influx import kpi_rows
from adapters.influx.http import Answer, SeriesOf
from adapters.influx.lines import text_of
from adapters.influx.special import FLOATS, INTS, OPTIONAL, Columns, restore
from adapters.store import Level
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials, column_type
from telemetry.series import BoolArray, Series, SeriesTable


def _decoder(*types: object) -> msgspec.json.Decoder[Answer[Any]]:
    """A decoder of rows with these types after the time; JSON alone would turn 3.0 into an int and -0.0 into 0."""
    form: Any = Answer
    return msgspec.json.Decoder(form[GenericAlias(tuple, (int, *types))])


PARTIALS = _decoder(
    int, *[int | None if name in OPTIONAL else int for name in INTS], *[float | None] * len(FLOATS)
)  # fmt: skip
# A point from before a field of KpiValue was there has none.
KPIS = _decoder(
    *[int | None] * len(kpi_rows.INTS), *[float | None] * len(kpi_rows.FLOATS), *[str | None] * len(kpi_rows.TEXTS)
)
# The same with the number of the change.
NUMBERED_KPIS = _decoder(
    *[int | None] * len(kpi_rows.INTS), *[float | None] * len(kpi_rows.FLOATS), *[str | None] * len(kpi_rows.TEXTS),
    int | None,
)  # fmt: skip
COUNTS = msgspec.json.Decoder(Answer[tuple[int, int]])
_KPI_FIELDS = (*kpi_rows.INTS, *kpi_rows.FLOATS, *kpi_rows.TEXTS)
_ALWAYS = [1 + _KPI_FIELDS.index(name) for name in kpi_rows.ALWAYS]  # their places in a row, after the time
_AT_ONCE = 2_000  # rows as objects: 20,000 do not fit into the caches of a processor, and cost twice as much each
LIMIT = 9_223_372_036_854  # ms: InfluxDB keeps nanoseconds in 64 bits


def text(value: str) -> str:
    """A string in InfluxQL, with its quotes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def columns(names: Iterable[str]) -> str:
    """Quoted names, because several of them are InfluxQL functions too."""
    return ", ".join(f'"{name}"' for name in names)


def between(start: int | None, end: int | None) -> list[str]:
    """Conditions for time in [start, end), ms."""
    limits = [(">=", start), ("<", end)]
    return [f"time {op} {max(-LIMIT, min(t, LIMIT))}ms" for op, t in limits if t is not None]


def one_of(name: str, values: Iterable[str]) -> str:
    """The condition that the tag has one of these values."""
    return "(" + " OR ".join(f'"{name}" = {text(v)}' for v in values) + ")"


def select_partials(level: Level, where: Sequence[str]) -> str:
    """The query whose rows `PARTIALS` decodes."""
    fields = columns(("special", *INTS, *FLOATS))
    return f'SELECT {fields} FROM "{level}" WHERE {" AND ".join(where)} GROUP BY "device", "quantity"'  # noqa: S608


def select_kpis(source: str, where: Sequence[str], more: Sequence[str] = ()) -> str:
    """The query whose rows `KPIS` decodes. `source`: the measurement with its policy; `more`: further fields."""
    fields = columns((*_KPI_FIELDS, *more))
    return f'SELECT {fields} FROM {source} WHERE {" AND ".join(where)} GROUP BY "code", "part", "period"'  # noqa: S608


class PartialRows:
    """Rows of an answer, collected into columns; made arrays early, because objects need ten times the space."""

    def __init__(self, city: str, table: SeriesTable) -> None:
        self._city, self._table = city, table
        self._rows: list[tuple[Any, ...]] = []
        self._series: list[tuple[int, int]] = []
        self._done: list[Partials] = []

    def add(self, piece: SeriesOf[Any]) -> None:
        """Add rows of one series, which enters the table."""
        name = Series(self._city, piece.tags["device"], piece.tags["quantity"])
        self._series.append((self._table.id_of(name), len(piece.values)))
        self._rows += piece.values
        if len(self._rows) > _AT_ONCE:
            self._convert()

    def _convert(self) -> None:
        ids, counts = zip(*self._series, strict=True)
        time, special, *values = zip(*self._rows, strict=True)
        read: Columns = {}
        absent: dict[str, BoolArray] = {}
        for name, column in zip((*INTS, *FLOATS), values, strict=True):
            if name in OPTIONAL and None in column:
                absent[name] = np.array([number is None for number in column])
            read[name] = _array(name, column)
        start = np.array(time, dtype=np.int64)
        whole = restore(np.array(special, dtype=np.int64), start, read, absent)
        series = np.repeat(np.array(ids, dtype=np.int64), counts)
        self._done.append(Partials(series=series, start=start, **read).where(whole))
        self._rows, self._series = [], []

    def partials(self) -> Partials:
        """All rows, sorted by (series, start)."""
        if self._rows:
            self._convert()
        return Partials.concat(self._done).latest()


def _array(name: str, column: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """A column of one field; where there is none, NaN, of whole numbers 0."""
    kind, none = column_type(name), column.count(None)
    if none == len(column):  # often: what follows from other fields is not written
        return np.full(none, 0 if kind is np.int64 else np.nan, dtype=kind)
    return np.array([number or 0 for number in column] if none and kind is np.int64 else column, dtype=kind)


def kpi_values(city: str, piece: SeriesOf[Any]) -> list[StoredKpi]:
    """The KPI values of one series of an answer to `select_kpis`, without those that are not written whole yet."""
    tags = {ours: piece.tags.get(name, "") for ours, name in kpi_rows.TAGS.items()}
    tags |= {"city": city, "part": tags["part"].removeprefix("-")}
    return [_kpi(tags, row) for row in whole(piece.values)]


def whole(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Those of the rows of an answer to `select_kpis` that are written whole."""
    return [row for row in rows if all(row[place] is not None for place in _ALWAYS)]


def _kpi(tags: dict[str, str], row: Sequence[Any]) -> StoredKpi:
    found = dict(zip(_KPI_FIELDS, row[1:], strict=True))
    found |= {name: text_of(found[name]) for name in kpi_rows.TEXTS if found[name] is not None}
    return kpi_rows.stored_kpi(tags, row[0], found)
