"""The store in PostgreSQL: plain tables, the newest rows at the end of each, so that live data is appended.

One connection, one thread, as the embedded store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import psycopg

from adapters.columns import (
    KPI_COLUMNS,
    PARTIAL_COLUMNS,
    CityTexts,
    SeriesNumbers,
    in_buckets,
    kpi_row,
    nullable,
    own_numbers,
    stored_kpi,
)
from adapters.points import Points
from adapters.postgres import kept
from adapters.postgres.connection import Connection, parse, upsert
from adapters.postgres.states import PostgresStates, note_hours
from adapters.store import CityRecord, Heartbeat, Kept, Latest, Level, LogEntry
from telemetry.errors import UsageError
from telemetry.kpi_row import IDENTITY
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials, is_whole
from telemetry.periods import CALENDAR, PeriodKind
from telemetry.series import IntArray, Series, SeriesTable

_CITY = upsert("city", ("id", "config", "width", "reads"), ("id",))
_BEAT = upsert("heartbeat", ("role", "name", "time"), ("role", "name"))
_LOG = upsert("figure_log", LogEntry._fields, ("city", "figure", "time"))
_KPI = upsert("kpi", KPI_COLUMNS, IDENTITY)
_SAME = ", ".join(IDENTITY)
_NEWEST = (
    "SELECT DISTINCT ON (series) series, last_t, last FROM hour WHERE start >= %s AND start < %s AND series = ANY(%s)"
    " AND n > 0 ORDER BY series, start DESC"
)
_SOME_IDS = (
    "SELECT id, device, quantity FROM unnest(%s::text[], %s::text[]) AS w (device, quantity)"
    " JOIN series USING (device, quantity) WHERE city = %s"
)
_CHANGE = (
    f"INSERT INTO kpi_change ({_SAME}) VALUES ({', '.join(['%s'] * len(IDENTITY))})"  # noqa: S608 - fixed names
    f" ON CONFLICT ({_SAME}) DO UPDATE SET number = excluded.number"
)


def _write_partials(level: Level) -> str:
    """One statement for all rows: an array for each column."""
    columns = ("start", "series", *PARTIAL_COLUMNS)
    whole = ("start", "series")
    arrays = ", ".join("%s::bigint[]" if n in whole or is_whole(n) else "%s::double precision[]" for n in columns)
    sets = ", ".join(f'"{n}" = excluded."{n}"' for n in PARTIAL_COLUMNS)
    names = ", ".join(f'"{n}"' for n in columns)
    return (
        f'INSERT INTO "{level}" ({names}) SELECT * FROM unnest({arrays})'  # noqa: S608 - fixed names
        f" ON CONFLICT (start, series) DO UPDATE SET {sets}"
    )


class PostgresStore:
    """A `Store` in a database of PostgreSQL."""

    points: Points | None = None
    drops_old = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.states = PostgresStates(connection)
        self._numbers, self._texts = SeriesNumbers(), CityTexts()
        self._ids: dict[Series, int] = {}

    @staticmethod
    def from_url(url: str) -> PostgresStore:
        """`postgresql://host:port/database`; no connection is made yet."""
        return PostgresStore(Connection(parse(url)))

    def put_city(self, record: CityRecord) -> None:
        """See Store."""
        known = self.city(record.id)
        self._texts.forget(record.id)
        if known and known.width != record.width and self.span(record.id, "window"):
            raise UsageError(
                f"The store contains windows of {known.width // 1000} s for {record.id}; {record.width // 1000} s would"
                f" count readings twice. Use --width {known.width // 1000}s or another store."
            )
        with self._connection.transaction() as cursor:
            config = json.dumps(record.config, sort_keys=True)
            cursor.execute(_CITY, (record.id, config, record.width, json.dumps(record.reads)))

    def cities(self) -> list[CityRecord]:
        """See Store."""
        return self._cities('ORDER BY id COLLATE "C"')

    def city(self, city: str) -> CityRecord | None:
        """See Store."""
        return next(iter(self._cities("WHERE id = %s", city)), None)

    def _cities(self, end: str, *values: str) -> list[CityRecord]:
        rows = self._connection.read(f"SELECT id, config, width, reads FROM city {end}", values)  # noqa: S608
        return [self._texts.record(*row) for row in rows]

    def put_heartbeats(self, beats: Iterable[Heartbeat]) -> None:
        """See Store."""
        with self._connection.transaction() as cursor:
            cursor.executemany(_BEAT, list(beats))

    def heartbeats(self) -> list[Heartbeat]:
        """See Store."""
        sql = 'SELECT role, name, time FROM heartbeat ORDER BY role COLLATE "C", name COLLATE "C"'
        return [Heartbeat(*row) for row in self._connection.read(sql)]

    def put_log(self, entries: Iterable[LogEntry]) -> None:
        """See Store."""
        with self._connection.transaction() as cursor:
            cursor.executemany(_LOG, list(entries))

    def figure_log(self, city: str) -> list[LogEntry]:
        """See Store."""
        sql = 'SELECT city, figure, time, text FROM figure_log WHERE city = %s ORDER BY figure COLLATE "C", time'
        return [LogEntry(*row) for row in self._connection.read(sql, (city,))]

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        """See Store."""
        partials = partials.latest()  # a statement may write a row only once
        if not len(partials):
            return
        new: dict[Series, int] = {}
        partials = partials.take(np.lexsort((partials.series, partials.start)))  # in the order of the table
        with self._connection.transaction() as cursor:
            ids = self._store_ids(cursor, partials.series, table, new).tolist()
            columns = [nullable(getattr(partials, name)) for name in PARTIAL_COLUMNS]
            cursor.execute(_write_partials(level), [partials.start.tolist(), ids, *columns])
            if level == "hour":
                note_hours(cursor, partials, table)
        self._ids |= new  # after the commit: the database may give the ids of a failed transaction to others

    def _store_ids(
        self, cursor: psycopg.Cursor[Any], series: IntArray, table: SeriesTable, new: dict[Series, int]
    ) -> IntArray:
        """The store's ids for the table's ids; ids created here are added to `new`."""
        wanted, place = np.unique(series, return_inverse=True)
        names = [table[number] for number in wanted.tolist()]
        lacking = [name for name in names if name not in self._ids]
        if lacking:
            columns = [list(column) for column in zip(*lacking, strict=True)]
            arrays = "unnest(%s::text[], %s::text[], %s::text[])"
            cursor.execute(
                f"INSERT INTO series (city, device, quantity) SELECT * FROM {arrays} ON CONFLICT DO NOTHING",  # noqa: S608
                columns,
            )
            cursor.execute(
                f"SELECT city, device, quantity, id FROM series JOIN {arrays} AS w (city, device, quantity)"  # noqa: S608
                " USING (city, device, quantity)",
                columns,
            )
            new |= {Series(*row[:3]): row[3] for row in cursor.fetchall()}
        return np.array([self._ids.get(name) or new[name] for name in names], dtype=np.int64)[place]

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See Store."""
        ids, lookup = own_numbers(self._city_ids(city, table, series), series)
        if not ids or end <= start:
            return
        columns = ", ".join(f'"{name}"' for name in PARTIAL_COLUMNS)
        sql = (
            f'SELECT series, start, {columns} FROM "{level}"'  # noqa: S608 - fixed names
            " WHERE start >= %s AND start < %s AND series = ANY(%s) ORDER BY start, series"
        )
        yield from in_buckets(self._connection.stream(sql, (start, end, ids)), level, lookup)

    def newest_readings(
        self, city: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Latest:
        """See Store."""
        ids, lookup = own_numbers(self._city_ids(city, table, series), series)
        rows = self._connection.read(_NEWEST, (start, end, ids)) if ids and start < end else []
        return Latest.of([(lookup[own], *rest) for own, *rest in rows])

    def _city_ids(self, city: str, table: SeriesTable, wanted: IntArray | None) -> dict[int, int]:
        """The table's number -> the store's id, of all series of a city or of the wanted. Reads them where one is new.

        A smaller id may be committed after a larger one, so their count decides, not the largest.
        """
        known = self._numbers.of(city, table)
        if (lacking := known.lacking(city, table, wanted)) is not None:
            names = list(zip(*lacking, strict=True))
            known.add_some(self._connection.read(_SOME_IDS, (*map(list, names), city)) if names else (), city, table)
            return known.own
        if self._connection.read("SELECT count(*) FROM series WHERE city = %s", (city,))[0][0] != len(known.own):
            sql = "SELECT id, device, quantity FROM series WHERE city = %s ORDER BY id"
            known.add(self._connection.read(sql, (city,)), city, table)
        return known.own

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """See Store."""
        found = [
            self._connection.read(
                f'SELECT start FROM "{level}" WHERE series IN (SELECT id FROM series WHERE city = %s)'  # noqa: S608
                f" ORDER BY start {order} LIMIT 1",
                (city,),
            )
            for order in ("ASC", "DESC")
        ]
        return (found[0][0][0], found[1][0][0]) if found[0] else None

    def kept(self, city: str, level: Level) -> Kept | None:
        """See Store."""
        return kept.kept(self._connection, city, level)

    def put_kept(self, city: str, level: Level, noted: Kept) -> None:
        """See Store."""
        kept.put_kept(self._connection, city, level, noted)

    def delete_partials(self, city: str, level: Level, start: int, end: int, most: int) -> int:
        """See Store."""
        return kept.delete_partials(self._connection, city, level, start, end, most)

    def put_kpis(self, values: Iterable[StoredKpi]) -> None:
        """See Store."""
        rows = [tuple(_text(field) for field in kpi_row(value)) for value in values]
        if not rows:
            return
        places = [KPI_COLUMNS.index(name) for name in IDENTITY]
        with self._connection.transaction() as cursor:
            # Numbers are to become visible in their order: one writer at a time.
            cursor.execute("LOCK TABLE kpi_change IN SHARE ROW EXCLUSIVE MODE")
            cursor.executemany(_KPI, rows)
            cursor.executemany(_CHANGE, [[row[place] for place in places] for row in rows])

    def changes(
        self, city: str, after: int, limit: int, kinds: Sequence[PeriodKind] | None = None
    ) -> list[tuple[int, StoredKpi]]:
        """See Store."""
        columns = ", ".join(f'k."{c}"' for c in KPI_COLUMNS)
        only, values = ("", []) if kinds is None else (" AND c.kind = ANY(%s)", [list(kinds)])
        sql = (
            f"SELECT c.number, {columns} FROM kpi_change c JOIN kpi k USING ({_SAME})"  # noqa: S608 - fixed names
            f" WHERE c.city = %s AND c.number > %s{only} ORDER BY c.number LIMIT %s"
        )
        rows = self._connection.read(sql, (city, after, *values, limit))
        return [(row[0], stored_kpi(row[1:])) for row in rows]

    def newest_change(self, city: str) -> int:
        """See Store."""
        sql = "SELECT coalesce(max(number), 0) FROM kpi_change WHERE city = %s"
        return int(self._connection.read(sql, (city,))[0][0])

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """See Store."""
        where: list[str] = ["city = %s"]
        values: list[Any] = [query.city]
        for column, wanted in (("kind", query.kinds), ("code", query.codes)):
            if wanted is not None:
                where.append(f"{column} = ANY(%s)")
                values.append(list(wanted))
        limits = [(t, op) for t, op in ((query.start, ">="), (query.end, "<")) if t is not None]
        where += [f"time {op} %s" for _, op in limits]
        return self._kpis(" AND ".join(where), (*values, *(t for t, _ in limits)), _IN_ORDER)

    def kpis_to_start(self, city: str) -> list[StoredKpi] | None:
        """See Store."""
        columns = ", ".join(f'"{c}"' for c in KPI_COLUMNS)
        names = "code, part, kind"
        sql = f"SELECT DISTINCT ON ({names}) {columns} FROM kpi WHERE city = %s ORDER BY {names}, time DESC"  # noqa: S608
        newest = [stored_kpi(row) for row in self._connection.read(sql, (city,))]
        where = "city = %s AND status = 'provisional' AND kind = ANY(%s)"
        return newest + self._kpis(where, (city, list(CALENDAR)), _IN_ORDER)

    def kpi_times(self, city: str, kind: PeriodKind) -> tuple[int, int] | None:
        """See Store."""
        first, last = self._connection.read(
            "SELECT min(time), max(time) FROM kpi WHERE city = %s AND kind = %s", (city, kind)
        )[0]
        return None if first is None else (first, last)

    def kpis_changed(self, city: str, since: int) -> list[StoredKpi]:
        """See Store."""
        return self._kpis("city = %s AND updated > %s", (city, since), f"updated, {_IN_ORDER}")

    def _kpis(self, where: str, values: tuple[Any, ...], order: str) -> list[StoredKpi]:
        columns = ", ".join(f'"{c}"' for c in KPI_COLUMNS)
        sql = f"SELECT {columns} FROM kpi WHERE {where} ORDER BY {order}"  # noqa: S608 - built from fixed names
        return [stored_kpi(row) for row in self._connection.read(sql, values)]

    def set_aside(self) -> list[tuple[str, str]]:
        """See Store; PostgreSQL holds every row."""
        return []

    def ping(self) -> None:
        """See Store."""
        self._connection.read("SELECT 1 FROM city LIMIT 1")

    def close(self) -> None:
        """See Store."""
        self._connection.close()


def _text(field: object) -> object:
    """The field as PostgreSQL can hold it: no text of it has a NUL."""
    return field.replace("\0", "\ufffd") if isinstance(field, str) else field


_IN_ORDER = 'code COLLATE "C", part COLLATE "C", kind COLLATE "C", time'  # as Python sorts
