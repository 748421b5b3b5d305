"""One store for all threads of the API: a lock around the few reads it needs.

A store is one connection and not thread-safe; requests run on worker threads. Reads are short, so they queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from adapters.store import CityRecord, Heartbeat, Kept, Latest, Level, LogEntry, Store
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import PeriodKind
from telemetry.series import IntArray, SeriesTable


class SharedStore:
    """The reading half of `Store`, safe to call from any thread. Every method may raise Unavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()

    def cities(self) -> list[CityRecord]:
        """See Store."""
        with self._lock:
            return self._store.cities()

    def city(self, city: str) -> CityRecord | None:
        """See Store."""
        with self._lock:
            return self._store.city(city)

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """See Store."""
        with self._lock:
            return self._store.span(city, level)

    def kept(self, city: str, level: Level) -> Kept | None:
        """See Store."""
        with self._lock:
            return self._store.kept(city, level)

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See Store. Other threads may read between two chunks."""
        with self._lock:
            chunks = iter(self._store.partials(city, level, start, end, table, series))
        while True:
            with self._lock:
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def newest_readings(
        self, city: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Latest:
        """See Store."""
        with self._lock:
            return self._store.newest_readings(city, start, end, table, series)

    def heartbeats(self) -> list[Heartbeat]:
        """See Store."""
        with self._lock:
            return self._store.heartbeats()

    def figure_log(self, city: str) -> list[LogEntry]:
        """See Store."""
        with self._lock:
            return self._store.figure_log(city)

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """See Store."""
        with self._lock:
            return self._store.kpis(query)

    def kpi_times(self, city: str, kind: PeriodKind) -> tuple[int, int] | None:
        """See Store."""
        with self._lock:
            return self._store.kpi_times(city, kind)

    def changes(
        self, city: str, after: int, limit: int, kinds: Sequence[PeriodKind] | None = None
    ) -> list[tuple[int, StoredKpi]]:
        """See Store."""
        with self._lock:
            return self._store.changes(city, after, limit, kinds)

    def newest_change(self, city: str) -> int:
        """See Store."""
        with self._lock:
            return self._store.newest_change(city)

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """The store itself, alone: for the few requests that store something."""
        with self._lock:
            yield self._store

    def ping(self) -> None:
        """See Store."""
        with self._lock:
            self._store.ping()
