"""The embedded store: one SQLite file.

Partials are clustered by (time bucket, series, start): live data is appended, one series-hour is one short range.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adapters.columns import (
    BUCKET,
    KPI_COLUMNS,
    PARTIAL_COLUMNS,
    CityTexts,
    SeriesNumbers,
    in_buckets,
    kpi_row,
    own_numbers,
    partials_of,
    stored_kpi,
)
from adapters.points import Points
from adapters.sqlite import kept
from adapters.sqlite.connection import connect, transaction
from adapters.sqlite.several import insert_partials
from adapters.sqlite.states import SqliteStates, note_hours
from adapters.sqlite.tables import SCHEMA, add_new_columns
from adapters.store import CityRecord, Heartbeat, Kept, Latest, Level, LogEntry
from telemetry.errors import Unavailable, UsageError
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import CALENDAR, PeriodKind
from telemetry.series import IntArray, Series, SeriesTable

_CHUNK = 50_000  # rows, of 900 bytes each until they are columns
_NEWEST = """
SELECT h.series, h.last_t, h.last FROM json_each(?) s CROSS JOIN hour h ON h.bucket = ? AND h.series = s.value
AND h.start = (SELECT start FROM hour WHERE bucket = ? AND series = s.value AND start >= ? AND start < ? AND n > 0
ORDER BY start DESC LIMIT 1)
"""
_SOME_IDS = """
SELECT s.id, device, quantity FROM json_each(?) w CROSS JOIN series s ON city = ?
AND device = json_extract(w.value, '$[0]') AND quantity = json_extract(w.value, '$[1]')
"""

_PUT_CITY = """
INSERT INTO city (id, config, width, reads) SELECT ?1, ?2, ?3, ?4 WHERE ?1 <> ''
ON CONFLICT DO UPDATE SET config=excluded.config, width=excluded.width, reads=excluded.reads
"""

_PART = 4  # a part of the series is read with a seek for each series and bucket, most of them by reading whole buckets


def _scan(level: Level) -> str:
    """Partials of the buckets ?1 to ?2, series of the JSON list ?3, start in [?4, ?5)."""
    return (
        f'SELECT series, start, {",".join(PARTIAL_COLUMNS)} FROM "{level}" '  # noqa: S608 - fixed names
        "WHERE bucket BETWEEN ? AND ? AND series IN (SELECT value FROM json_each(?)) AND start >= ? AND start < ?"
        " ORDER BY bucket, series, start"
    )


def _seek(level: Level) -> str:
    """The same, of few series: the loops are in the order of the table, so that nothing is sorted."""
    columns = ",".join(f"h.{name}" for name in PARTIAL_COLUMNS)
    return (
        f'WITH RECURSIVE b(x) AS (SELECT min(bucket) FROM "{level}" WHERE bucket BETWEEN ?1 AND ?2 UNION ALL'  # noqa: S608
        f' SELECT (SELECT min(bucket) FROM "{level}" WHERE bucket > x AND bucket <= ?2) FROM b WHERE x IS NOT NULL)'
        f' SELECT h.series, h.start, {columns} FROM b CROSS JOIN json_each(?3) s CROSS JOIN "{level}" h'
        f" ON h.bucket = b.x AND h.series = s.value AND h.start >= ?4 AND h.start < ?5"
    )


_SCAN, _SEEK = ({level: sql(level) for level in BUCKET} for sql in (_scan, _seek))
log = logging.getLogger(__name__)
_ROOTS = frozenset(("tmp", "var", "home", "opt", "srv", "mnt", "data", "root", "usr", "etc"))


def _say_where(path: Path) -> None:
    """Log where a new store is made; a path that looks absolute and is not gets the form with four slashes."""
    if path.exists():
        return
    log.info("a new store is made at %s", path.absolute())
    if not path.is_absolute() and path.parts[0] in _ROOTS and Path("/", path.parts[0]).is_dir():
        log.warning("sqlite:///%s is a path below %s; for /%s write sqlite:////%s", path, Path.cwd(), path, path)


class SqliteStore:
    """A `Store` in one SQLite file."""

    points: Points | None = None
    drops_old = False

    def __init__(self, path: Path) -> None:
        self._db = connect(path, SCHEMA)
        add_new_columns(self._db)
        self.states = SqliteStates(self._db)
        self._numbers, self._texts = SeriesNumbers(), CityTexts()
        self._table: SeriesTable | None = None  # that `_ids` are of
        self._ids = np.empty(0, dtype=np.int64)  # the id of each of its numbers, 0 where it is not known

    @staticmethod
    def from_url(url: str) -> SqliteStore:
        """`sqlite:///relative.db` or `sqlite:////absolute.db`."""
        path = url.removeprefix("sqlite:///")
        if path == url or not path:
            raise UsageError(f"'{url}' does not name a file; use sqlite:///city.db or sqlite:////var/lib/city.db.")
        _say_where(Path(path))
        return SqliteStore(Path(path))

    def put_city(self, record: CityRecord) -> None:
        """See Store."""
        self._texts.forget(record.id)
        with transaction(self._db) as db:
            row = db.execute("SELECT width FROM city WHERE id=?", (record.id,)).fetchone()
            if row and row[0] != record.width and self.span(record.id, "window"):
                raise UsageError(
                    f"The store contains windows of {row[0] // 1000} s for {record.id}; {record.width // 1000} s would "
                    f"count readings twice. Use --width {row[0] // 1000}s or another store."
                )
            texts = json.dumps(record.config, sort_keys=True), record.width, json.dumps(record.reads)
            db.execute(_PUT_CITY, (record.id, *texts))
            db.execute(_PUT_CITY, ("", "", 0, ""))  # the prepared statement keeps what is bound to it: up to 10 MB

    def cities(self) -> list[CityRecord]:
        """See Store."""
        return self._cities("ORDER BY id")

    def city(self, city: str) -> CityRecord | None:
        """See Store."""
        return next(iter(self._cities("WHERE id = ?", city)), None)

    def _cities(self, end: str, *values: str) -> list[CityRecord]:
        rows = self._read(f"SELECT id, config, width, reads FROM city {end}", values)  # noqa: S608 - fixed texts
        return [self._texts.record(*row) for row in rows]

    def put_heartbeats(self, beats: Iterable[Heartbeat]) -> None:
        """See Store."""
        with transaction(self._db) as db:
            db.executemany("INSERT OR REPLACE INTO heartbeat VALUES (?,?,?)", list(beats))

    def heartbeats(self) -> list[Heartbeat]:
        """See Store."""
        return [Heartbeat(*row) for row in self._read("SELECT role, name, time FROM heartbeat ORDER BY 1, 2", ())]

    def put_log(self, entries: Iterable[LogEntry]) -> None:
        """See Store."""
        with transaction(self._db) as db:
            db.executemany("INSERT OR REPLACE INTO figure_log VALUES (?,?,?,?)", list(entries))

    def figure_log(self, city: str) -> list[LogEntry]:
        """See Store."""
        sql = "SELECT city, figure, time, text FROM figure_log WHERE city = ? ORDER BY figure, time"
        return [LogEntry(*row) for row in self._read(sql, (city,))]

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        """See Store."""
        if not len(partials):
            return
        bucket = partials.start // BUCKET[level]
        order = np.lexsort((partials.start, partials.series, bucket))  # in the order of the table: half the time
        bucket, partials = bucket[order], partials.take(order)
        with transaction(self._db) as db:
            ids = self._db_ids(partials.series, table)
            insert_partials(db, level, bucket, ids[partials.series], partials)
            kept.note_span(db, level, partials, table)
            if level == "hour":
                note_hours(db, partials, table)
        # After the commit: the database would assign the ids of a failed transaction to other series.
        self._table, self._ids = table, ids

    def _db_ids(self, series: IntArray, table: SeriesTable) -> IntArray:
        """The store's ids for the table's ids, by number; those of these series are made where there is none.

        Within a transaction: `_ids` are these once it is committed. They are looked up when a series is written first,
        because a table of all by name is 150 bytes of each.
        """
        known = self._ids if self._table is table else np.empty(0, dtype=np.int64)
        if len(known) < len(table):
            known = np.append(known, np.zeros(len(table) - len(known), dtype=np.int64))
        lacking = np.unique(series[known[series] == 0])
        if len(lacking):
            known = known.copy()  # what is new may be rolled back
            for number in lacking.tolist():
                known[number] = self._db_id(table[number])
        return known

    def _db_id(self, name: Series) -> int:
        """The store's id of a series, made where there is none."""
        found = self._db.execute("SELECT id FROM series WHERE city=? AND device=? AND quantity=?", name).fetchone()
        if found:
            return int(found[0])
        made = self._db.execute("INSERT INTO series (city, device, quantity) VALUES (?,?,?)", name)
        return int(made.lastrowid or 0)

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See Store."""
        rows, lookup = self._rows(city, level, start, end, table, series)
        yield from in_buckets(rows, level, lookup)

    def pieces(self, city: str, level: Level, start: int, end: int, table: SeriesTable) -> Iterator[Partials]:
        """As `partials` of all series, but of so few rows at once that some are of a part of the series only."""
        rows, lookup = self._rows(city, level, start, end, table, None)
        for piece in rows:
            yield partials_of(piece, lookup)

    def _rows(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None
    ) -> tuple[Iterator[list[Any]], IntArray]:
        """Rows in the order of bucket, series and start, a piece at a time, and `lookup` of `partials_of`."""
        ids, lookup = own_numbers(self._city_ids(city, table, series), series)
        if not ids or end <= start:
            return iter(()), lookup
        low, high = start // BUCKET[level], (end - 1) // BUCKET[level]
        few = len(ids) * _PART < (self._read("SELECT max(id) FROM series", ())[0][0] or 0)
        sql = (_SEEK if few else _SCAN)[level]
        cursor = self._execute(sql, (low, high, json.dumps(sorted(ids)), start, end))
        return iter(lambda: _fetch(cursor), []), lookup

    def newest_readings(
        self, city: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Latest:
        """See Store. Bucket by bucket, the newest first: one seek for each series that was not found yet."""
        ids, lookup = own_numbers(self._city_ids(city, table, series), series)
        left, width, found = set(ids), BUCKET["hour"], list[Any]()
        for bucket in range((end - 1) // width, start // width - 1, -1):
            if not left:
                break
            rows = self._read(_NEWEST, (json.dumps(sorted(left)), bucket, bucket, start, end))
            left.difference_update([row[0] for row in rows])
            found += rows
        return Latest.of([(lookup[own], *rest) for own, *rest in sorted(found)])

    def _city_ids(self, city: str, table: SeriesTable, wanted: IntArray | None) -> dict[int, int]:
        """The table's number -> the store's id, of all series of a city or of the wanted. Reads those that are new."""
        known = self._numbers.of(city, table)
        if (lacking := known.lacking(city, table, wanted)) is not None:
            known.add_some(self._read(_SOME_IDS, (json.dumps(lacking), city)) if lacking else (), city, table)
            return known.own
        if known.newest:
            sql, values = "SELECT id, device, quantity FROM series WHERE id > ? AND +city = ?", (known.newest, city)
        else:
            sql, values = "SELECT id, device, quantity FROM series WHERE id > ? AND city = ?", (0, city)
        known.add(self._read(sql, values), city, table)
        return known.own

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """See Store."""
        return kept.span(self._db, city, level)

    def kept(self, city: str, level: Level) -> Kept | None:
        """See Store."""
        return kept.kept(self._db, city, level)

    def put_kept(self, city: str, level: Level, noted: Kept) -> None:
        """See Store."""
        kept.put_kept(self._db, city, level, noted)

    def delete_partials(self, city: str, level: Level, start: int, end: int, most: int) -> int:
        """See Store."""
        return kept.delete_partials(self._db, city, level, start, end, most)

    def put_kpis(self, values: Iterable[StoredKpi]) -> None:
        """See Store."""
        rows = [kpi_row(v) for v in values]
        placeholders = ",".join("?" * len(KPI_COLUMNS))
        names = ",".join(f'"{name}"' for name in KPI_COLUMNS)  # an upgraded table has them in another order
        with transaction(self._db) as db:
            db.executemany(f"INSERT OR REPLACE INTO kpi ({names}) VALUES ({placeholders})", rows)  # noqa: S608
            sql = "INSERT OR REPLACE INTO kpi_change (city, code, part, kind, time) VALUES (?,?,?,?,?)"
            db.executemany(sql, (row[:5] for row in rows))

    def changes(
        self, city: str, after: int, limit: int, kinds: Sequence[PeriodKind] | None = None
    ) -> list[tuple[int, StoredKpi]]:
        """See Store. Reads as many rows as it returns, for each kind that is named."""
        columns = ",".join(f'k."{c}"' for c in KPI_COLUMNS)
        found: list[Any] = []
        for kind in [None] if kinds is None else dict.fromkeys(kinds):
            only = "" if kind is None else "AND c.kind = ?"
            sql = (
                f"SELECT c.number, {columns} FROM kpi_change c CROSS JOIN kpi k"  # noqa: S608 - fixed names
                " ON (k.city, k.code, k.part, k.kind, k.time) = (c.city, c.code, c.part, c.kind, c.time)"
                f" WHERE c.city = ? {only} AND c.number > ? ORDER BY c.number LIMIT ?"
            )
            found += self._read(sql, (city, *([] if kind is None else [kind]), after, limit))
        return [(row[0], stored_kpi(row[1:])) for row in sorted(found, key=lambda row: int(row[0]))[:limit]]

    def newest_change(self, city: str) -> int:
        """See Store."""
        return int(self._read("SELECT coalesce(max(number), 0) FROM kpi_change WHERE city = ?", (city,))[0][0])

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """See Store."""
        where, values = ["city=?"], [query.city]
        for column, wanted in (("kind", query.kinds), ("code", query.codes)):
            if wanted is not None:
                where.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - fixed names
                values.append(json.dumps(list(wanted)))
        limits = [(t, op) for t, op in ((query.start, ">="), (query.end, "<")) if t is not None]
        where += [f"time {op} ?" for _, op in limits]
        # Without codes the primary key would lead through the values of all kinds.
        index = "kpi_time" if query.kinds is not None and query.codes is None else ""
        return self._kpis(" AND ".join(where), (*values, *(t for t, _ in limits)), "code, part, kind, time", index)

    def kpis_to_start(self, city: str) -> list[StoredKpi] | None:
        """See Store. Two scans of the table, in which hardly any row is read as a whole."""
        columns = ",".join(f'k."{c}"' for c in KPI_COLUMNS)
        newest = "SELECT code, part, kind, max(time) AS time FROM kpi WHERE city = ? GROUP BY code, part, kind"
        same = " AND ".join(f"k.{name} = n.{name}" for name in ("code", "part", "kind", "time"))
        sql = f"SELECT {columns} FROM ({newest}) n CROSS JOIN kpi k ON k.city = ? AND {same}"  # noqa: S608 - fixed names
        found = [stored_kpi(row) for row in self._read(sql, (city, city))]
        where = "city = ? AND status = 'provisional' AND kind IN (SELECT value FROM json_each(?))"
        return found + self._kpis(where, (city, json.dumps(CALENDAR)), "code, part, kind, time")

    def kpi_times(self, city: str, kind: PeriodKind) -> tuple[int, int] | None:
        """See Store."""
        ends = [f"(SELECT {end}(time) FROM kpi WHERE city = ? AND kind = ?)" for end in ("min", "max")]  # noqa: S608
        first, last = self._read(f"SELECT {', '.join(ends)}", (city, kind) * 2)[0]
        return None if first is None else (first, last)

    def kpis_changed(self, city: str, since: int) -> list[StoredKpi]:
        """See Store."""
        return self._kpis("city=? AND updated>?", (city, since), "updated, code, part, kind, time")

    def _kpis(self, where: str, values: tuple[Any, ...], order: str, index: str = "") -> list[StoredKpi]:
        columns = ",".join(f'"{c}"' for c in KPI_COLUMNS)
        by = f"INDEXED BY {index}" if index else ""
        sql = f"SELECT {columns} FROM kpi {by} WHERE {where} ORDER BY {order}"  # noqa: S608 - built from fixed names
        return [stored_kpi(row) for row in self._read(sql, values)]

    def set_aside(self) -> list[tuple[str, str]]:
        """See Store; SQLite holds every row."""
        return []

    def ping(self) -> None:
        """See Store."""
        self._read("SELECT 1 FROM city LIMIT 1", ())

    def close(self) -> None:
        """See Store."""
        self._db.close()

    def _execute(self, sql: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, values)
        except sqlite3.Error as error:
            raise Unavailable(f"The store cannot be read: {error}.") from error

    def _read(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        return self._execute(sql, values).fetchall()


def _fetch(cursor: sqlite3.Cursor) -> list[Any]:
    try:
        return cursor.fetchmany(_CHUNK)
    except sqlite3.Error as error:
        raise Unavailable(f"The store cannot be read: {error}.") from error
