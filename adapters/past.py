"""`PastStore`: a store whose readers see nothing of the future. A clock that was ahead leaves rows there for a while.

Ingest reads the store itself, because it withdraws such rows. A value that was withdrawn is passed on with the changes,
so that a client that has it learns of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from adapters.points import Points
from adapters.states import States
from adapters.store import CityRecord, Heartbeat, Kept, Latest, Level, LogEntry, Store
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import PeriodKind
from telemetry.series import IntArray, SeriesTable


class PastStore:
    """`Store` up to now. `clock`: UTC ms. A KPI value is of the future when its `time` is."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock

    @property
    def drops_old(self) -> bool:
        """See Store."""
        return self._store.drops_old

    @property
    def points(self) -> Points | None:
        """See Store."""
        return self._store.points

    @property
    def states(self) -> States | None:
        """See Store."""
        return self._store.states

    def put_city(self, record: CityRecord) -> None:
        """See Store."""
        self._store.put_city(record)

    def cities(self) -> list[CityRecord]:
        """See Store."""
        return self._store.cities()

    def city(self, city: str) -> CityRecord | None:
        """See Store."""
        return self._store.city(city)

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        """See Store."""
        self._store.put_partials(level, partials, table)

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See Store; those that have begun."""
        return self._store.partials(city, level, start, min(end, self._clock() + 1), table, series)

    def newest_readings(
        self, city: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Latest:
        """See Store; of hours that have begun."""
        return self._store.newest_readings(city, start, min(end, self._clock() + 1), table, series)

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """See Store; the last is at most now."""
        found, now = self._store.span(city, level), self._clock()
        return None if found is None or found[0] > now else (found[0], min(found[1], now))

    def kept(self, city: str, level: Level) -> Kept | None:
        """See Store."""
        return self._store.kept(city, level)

    def put_kept(self, city: str, level: Level, noted: Kept) -> None:
        """See Store."""
        self._store.put_kept(city, level, noted)

    def delete_partials(self, city: str, level: Level, start: int, end: int, most: int) -> int:
        """See Store."""
        return self._store.delete_partials(city, level, start, end, most)

    def put_kpis(self, values: Iterable[StoredKpi]) -> None:
        """See Store."""
        self._store.put_kpis(values)

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """See Store; of the past."""
        end = self._clock() + 1
        return self._store.kpis(query._replace(end=end if query.end is None else min(query.end, end)))

    def kpis_to_start(self, city: str) -> list[StoredKpi] | None:
        """See Store."""
        return self._store.kpis_to_start(city)

    def changes(
        self, city: str, after: int, limit: int, kinds: Sequence[PeriodKind] | None = None
    ) -> list[tuple[int, StoredKpi]]:
        """See Store; without values of the future, except those that were withdrawn."""
        kept: list[tuple[int, StoredKpi]] = []
        while len(kept) < limit:
            wanted = limit - len(kept)
            found = self._store.changes(city, after, wanted, kinds)
            kept += [row for row in found if self._may_be_read(row[1])]
            if len(found) < wanted:
                break
            after = found[-1][0]
        return kept

    def newest_change(self, city: str) -> int:
        """See Store."""
        return self._store.newest_change(city)

    def kpi_times(self, city: str, kind: PeriodKind) -> tuple[int, int] | None:
        """See Store; the last is at most now."""
        found, now = self._store.kpi_times(city, kind), self._clock()
        return None if found is None or found[0] > now else (found[0], min(found[1], now))

    def kpis_changed(self, city: str, since: int) -> list[StoredKpi]:
        """See Store; as `changes`."""
        return [row for row in self._store.kpis_changed(city, since) if self._may_be_read(row)]

    def put_heartbeats(self, beats: Iterable[Heartbeat]) -> None:
        """See Store."""
        self._store.put_heartbeats(beats)

    def heartbeats(self) -> list[Heartbeat]:
        """See Store."""
        return self._store.heartbeats()

    def put_log(self, entries: Iterable[LogEntry]) -> None:
        """See Store."""
        self._store.put_log(entries)

    def figure_log(self, city: str) -> list[LogEntry]:
        """See Store."""
        return self._store.figure_log(city)

    def set_aside(self) -> list[tuple[str, str]]:
        """See Store."""
        return self._store.set_aside()

    def ping(self) -> None:
        """See Store."""
        self._store.ping()

    def close(self) -> None:
        """See Store."""
        self._store.close()

    def _may_be_read(self, row: StoredKpi) -> bool:
        return row.kpi.value is None or row.kpi.time <= self._clock()
