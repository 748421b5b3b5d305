"""The store in InfluxDB. Identity is measurement + tags + time in ms, and a write replaces.

- `window`, `hour`: tags city, device, quantity, site (see sites.py); fields of Partials and `special`, which says what
  is left out of the row (see special.py). Always there, but for what is NaN: `n`, `sum`, `min`, `max`, `mean`, `last`,
  `flagged`, `lag`, `increase`, of hours `last_t`.
- `kpi`: tags city, code, part ('-' for none), period (its kind); fields of KpiValue and StoredKpi (`label` is the
  period, `start_t` and `end_t` its bounds), `valued` and `replaced`: whether value and previous exist, `number`: of its
  last change (see changes.py).
- `registry`: tag city, time 0; fields config (JSON), width, reads (JSON).
- `hours_written`, `checkpoint`, `checkpoint_part`: from what the next start continues (see states.py).

In a database with a retention, `kpi` and `registry` are stored in a policy of their own (see policies.py).

Reads are InfluxQL, which InfluxDB 1, 2 and 3 support. Version 3 does not guarantee that the last write of a row counts
(docs/how-to/influxdb.md). InfluxDB keeps the old value of a field that a later write omits, so a reader of these
measurements must select rows with n > 0 (partials) or valued = 1 (KPI values).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from adapters.influx import figure_log, heartbeats, kept, some_kpis
from adapters.influx.answers import (
    COUNTS,
    KPIS,
    PARTIALS,
    PartialRows,
    between,
    kpi_values,
    one_of,
    select_kpis,
    select_partials,
    text,
)
from adapters.influx.changes import Changes
from adapters.influx.http import Connection
from adapters.influx.lines import Heads, partial_lines
from adapters.influx.points import InfluxPoints
from adapters.influx.policies import Policies
from adapters.influx.pool import Senders
from adapters.influx.registry import Registry
from adapters.influx.sites import Sites
from adapters.influx.states import InfluxStates
from adapters.influx.url import parse
from adapters.states import States
from adapters.store import CityRecord, Heartbeat, Kept, Latest, Level, LogEntry
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import CALENDAR, PeriodKind
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR

log = logging.getLogger(__name__)

_BATCH = 5_000
_CHUNK = 200_000
_BUCKET: dict[Level, int] = {"window": HOUR, "hour": DAY}
_NAMED = 1000  # the most series named in a query; for more, all are queried and the others are discarded here


class InfluxStore:
    """A `Store` in a database of InfluxDB 1.x or 3, or a bucket of InfluxDB 2."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._policies = Policies(connection)
        self._registry = Registry(connection, self._policies)
        self._sites = Sites(connection, self._registry)
        self._changes = Changes(connection, self._policies)
        self._points = InfluxPoints(connection, self._sites, self._policies)
        self._senders = Senders()
        # Version 3 deletes no rows and may answer with an older one.
        self._numbered = InfluxStates(connection, self._senders) if connection.target.version < 3 else None
        self._made_heads: dict[Level, Heads] = {}

    @property
    def points(self) -> InfluxPoints:
        """See Store."""
        return self._points

    @property
    def states(self) -> States | None:
        """See Store."""
        return self._numbered

    drops_old = True

    @staticmethod
    def from_url(url: str) -> InfluxStore:
        """A URL as in url.py; no connection is made yet."""
        target = parse(url)
        if target.version == 3:
            log.warning(
                "InfluxDB 3 does not guarantee which value it keeps of a row that is written again: hours and KPI "
                "values may be older ones. Use another store for figures that count, see docs/how-to/influxdb.md."
            )
        return InfluxStore(Connection(target))

    def put_city(self, record: CityRecord) -> None:
        """See Store."""
        known = self.city(record.id)
        before = known.width if known else record.width
        if before != record.width and self.span(record.id, "window"):
            raise UsageError(
                f"The store contains windows of {before // 1000} s for {record.id}; {record.width // 1000} s would "
                f"count readings twice. Use --width {before // 1000}s or another store."
            )
        self._registry.put(record)
        self._changes.begin(record.id)

    def cities(self) -> list[CityRecord]:
        """See Store."""
        return self._registry.cities()

    def city(self, city: str) -> CityRecord | None:
        """See Store."""
        return next(iter(self._registry.cities(city)), None)

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        """See Store. Up to three requests at a time, of rows that differ; what was written before a failure remains."""
        partials = partials.latest()
        heads = self._heads(level, partials.series, table)
        batches = [slice(row, row + _BATCH) for row in range(0, len(partials) or 1, _BATCH)]
        bodies = (partial_lines(level, heads, partials.take(batch)) for batch in batches)
        if level == "hour" and self._numbered:
            with self._numbered.numbered(partials, table) as notes:
                self._write(notes, bodies, len(batches))
        else:
            self._write([], bodies, len(batches))

    def _write(self, notes: list[str], bodies: Iterator[bytes], count: int) -> None:
        """Write notes, and bodies of rows behind them or in the same request."""
        first = "\n".join(notes).encode()
        if count == 1:
            self._connection.write(b"\n".join(filter(None, (first, next(bodies)))))
            return
        if first:
            self._connection.write(first)
        self._senders.write(self._connection.write, bodies)

    def _heads(self, level: Level, series: IntArray, table: SeriesTable) -> dict[int, str]:
        """Measurement and tags of each id in `series`, which is sorted; sites are looked up before the first write."""
        is_first = np.append(True, series[1:] != series[:-1])[: len(series)]
        names = {number: table[number] for number in series[is_first].tolist()}
        devices: dict[str, set[str]] = {}
        for city, device, _ in names.values():
            devices.setdefault(city, set()).add(device)
        sites = {city: self._sites.of(city, found) for city, found in devices.items()}
        heads = self._made_heads.setdefault(level, Heads(level))
        return {number: heads.of(name, sites[name.city][name.device]) for number, name in names.items()}

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See Store."""
        where = [f'"city" = {text(city)}']
        if series is not None:
            named = [table[number] for number in np.unique(series).tolist() if table[number].city == city]
            if not named:
                return
            where += [_named(named)] if len(named) <= _NAMED else []
            table = SeriesTable(table.all)  # series that are discarded below must not enter the caller's table
        for low, high in self._slices(level, where, start, end):
            found = self._slice(city, select_partials(level, [*where, *between(low, high)]), table)
            found = found if series is None else found.take(np.isin(found.series, series))
            if len(found):
                yield found

    def _slice(self, city: str, query: str, table: SeriesTable) -> Partials:
        rows = PartialRows(city, table)
        for piece in self._connection.query(query, PARTIALS):
            rows.add(piece)
        return rows.partials()

    def _slices(self, level: Level, where: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
        """[start, end) in slices of as many rows as fit in memory, counted first."""
        width = _BUCKET[level]
        if end - start > width:
            count = f'SELECT count("n") FROM "{level}" WHERE {" AND ".join([*where, *between(start, end)])}'  # noqa: S608
            held = 0
            for piece in self._connection.query(f"{count} GROUP BY time({width}ms) fill(none)", COUNTS):
                for bucket, rows in piece.values:
                    if held and held + rows > _CHUNK:
                        yield start, bucket
                        start, held = bucket, 0
                    held += rows
        if end > start:
            yield start, end

    def newest_readings(
        self, city: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Latest:
        """See Store. The last two rows of each series: at another site there may be a second one of the same time."""
        if start >= end:
            return Latest.of([])
        mine = table if series is None else SeriesTable(table.all)
        where = [f'"city" = {text(city)}', '"n" > 0', *between(start, end)]
        found = self._slice(city, f"{select_partials('hour', where)} ORDER BY time DESC LIMIT 2", mine)
        last = np.append(found.series[1:] != found.series[:-1], True)[: len(found)]
        chosen = found.take(np.flatnonzero(last if series is None else last & np.isin(found.series, series)))
        return Latest(chosen.series, chosen.last_t, chosen.last)

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """See Store."""
        ask = f'SELECT "n" FROM "{level}" WHERE "city" = {text(city)} ORDER BY time {{}} LIMIT 1'  # noqa: S608
        query = f"{ask.format('ASC')}; {ask.format('DESC')}"
        times = [row[0] for piece in self._connection.query(query, COUNTS) for row in piece.values]
        return (times[0], times[-1]) if times else None

    def kept(self, city: str, level: Level) -> Kept | None:
        """See Store."""
        return kept.kept(self._connection, self._policies, city, level)

    def put_kept(self, city: str, level: Level, noted: Kept) -> None:
        """See Store."""
        kept.refuse_version_3(self._connection)
        kept.put_kept(self._policies, city, level, noted)

    def delete_partials(self, city: str, level: Level, start: int, end: int, most: int) -> int:  # noqa: ARG002
        """See Store; the pieces are ranges of time, whatever `most` is."""
        kept.refuse_version_3(self._connection)
        return kept.delete_partials(self._connection, city, level, start, end)

    def put_kpis(self, values: Iterable[StoredKpi]) -> None:
        """See Store."""
        rows = list(values)
        self._changes.put(rows)
        if self._connection.take_lost():
            self._registry.write_again()
        self._registry.refresh(max((row.updated for row in rows), default=0))

    def put_heartbeats(self, beats: Iterable[Heartbeat]) -> None:
        """See Store."""
        heartbeats.put(self._connection, beats)

    def heartbeats(self) -> list[Heartbeat]:
        """See Store."""
        return heartbeats.newest(self._connection)

    def put_log(self, entries: Iterable[LogEntry]) -> None:
        """See Store."""
        figure_log.put(self._policies, entries)

    def figure_log(self, city: str) -> list[LogEntry]:
        """See Store."""
        return figure_log.of_city(self._connection, self._policies, city)

    def set_aside(self) -> list[tuple[str, str]]:
        """See Store."""
        return self._connection.take_refused()

    def changes(
        self, city: str, after: int, limit: int, kinds: Sequence[PeriodKind] | None = None
    ) -> list[tuple[int, StoredKpi]]:
        """See Store."""
        return self._changes.after(city, after, limit, kinds)

    def newest_change(self, city: str) -> int:
        """See Store."""
        return self._changes.newest(city)

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """See Store."""
        wanted = (("period", query.kinds), ("code", query.codes))
        filters = [(name, values) for name, values in wanted if values is not None]
        if not all(values for _, values in filters):
            return []
        found = self._kpis(query.city, [one_of(n, v) for n, v in filters] + between(query.start, query.end))
        return sorted(found, key=lambda v: v.kpi.identity)

    def kpis_to_start(self, city: str) -> list[StoredKpi] | None:
        """See Store."""
        source = self._policies.source("kpi")
        found = some_kpis.newest(self._connection, source, city)
        return found + some_kpis.with_status(self._connection, source, city, "provisional", CALENDAR)

    def kpi_times(self, city: str, kind: PeriodKind) -> tuple[int, int] | None:
        """See Store."""
        source, where = self._policies.source("kpi"), f'"city" = {text(city)} AND "period" = {text(kind)}'
        ask = f'SELECT "revision" FROM {source} WHERE {where} ORDER BY time {{}} LIMIT 1'  # noqa: S608
        query = f"{ask.format('ASC')}; {ask.format('DESC')}"
        times = [row[0] for piece in self._connection.query(query, COUNTS) for row in piece.values]
        return (times[0], times[-1]) if times else None

    def kpis_changed(self, city: str, since: int) -> list[StoredKpi]:
        """See Store."""
        return sorted(self._kpis(city, [f'"updated" > {since}']), key=lambda v: (v.updated, v.kpi.identity))

    def _kpis(self, city: str, where: Sequence[str]) -> list[StoredKpi]:
        query = select_kpis(self._policies.source("kpi"), [f'"city" = {text(city)}', *where])
        return [value for piece in self._connection.query(query, KPIS) for value in kpi_values(city, piece)]

    def ping(self) -> None:
        """See Store."""
        self._connection.ping()
        self.cities()

    def close(self) -> None:
        """See Store."""
        self._senders.close()
        self._connection.close()


def _named(series: Sequence[Series]) -> str:
    """The condition that a row belongs to one of these series."""
    by_quantity: dict[str, list[str]] = {}
    for name in series:
        by_quantity.setdefault(name.quantity, []).append(name.device)
    return (
        "("
        + " OR ".join(f"({one_of('quantity', [q])} AND {one_of('device', d)})" for q, d in by_quantity.items())
        + ")"
    )
