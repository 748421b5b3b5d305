"""`Store`: where partials, KPI values and city files live. One protocol, one behaviour suite, tests/adapters/stores/.

Every write is an upsert on a fixed identity, so a repeated write changes nothing. A store that does not answer raises
`Unavailable`; nothing is dropped silently.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from adapters.points import Points
from adapters.states import States
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import PeriodKind, iso
from telemetry.series import FloatArray, IntArray, SeriesTable

Level = Literal["window", "hour"]


class CityRecord(NamedTuple):
    """A city as it is stored: its CITY.toml as plain data, and the width in ms of its base windows.

    `reads`: KPI code -> what its derivation is known to have read of the city file and the data (`Reads`).
    """

    id: str
    config: dict[str, Any]
    width: int
    reads: dict[str, list[list[str]]] = {}  # noqa: RUF012 - never changed


class PackedRecord(NamedTuple):
    """A `CityRecord` in few bytes, for one that is seldom read: its file and its reads are compressed."""

    id: str
    width: int
    data: bytes

    @staticmethod
    def of(record: CityRecord) -> PackedRecord:
        """The record in this form."""
        plain = json.dumps((record.config, record.reads))
        return PackedRecord(record.id, record.width, zlib.compress(plain.encode(), 1))

    def record(self) -> CityRecord:
        """The record."""
        config, reads = json.loads(zlib.decompress(self.data))
        return CityRecord(self.id, config, self.width, reads)


class Heartbeat(NamedTuple):
    """That a program ran at `time` (ms UTC), as ingest saw it.

    `role`: "ingest" (its id), "gateway" (its windows of that time were stored), "kpi" (values of a city were stored).
    """

    role: str
    name: str
    time: int


class LogEntry(NamedTuple):
    """What somebody did to a reported figure of a city; identified by city, figure and time.

    `figure`: its name; `time`: ms UTC; `text`: JSON.
    """

    city: str
    figure: str
    time: int
    text: str


class Kept(NamedTuple):
    """From when on the partials of a level are kept. `start`: ms UTC, earlier ones are neither taken nor needed.

    `deleted`: all before it are deleted. `at`: when `start` was set, ms UTC.
    """

    start: int
    deleted: int
    at: int

    def sentence(self) -> str:
        """What that means for older values."""
        return f"the windows before {iso(self.start)} were deleted, the last on {iso(self.at)}"


class Latest(NamedTuple):
    """The newest reading of series, a row each: number in a table, time (ms UTC), value in the catalogue's unit."""

    series: IntArray
    t: IntArray
    value: FloatArray

    @staticmethod
    def of(rows: Sequence[Sequence[Any]]) -> Latest:
        """From rows (series, t, value); a value of None is NaN."""
        series, t, value = zip(*rows, strict=True) if rows else ((), (), ())
        return Latest(np.array(series, np.int64), np.array(t, np.int64), np.array(value, np.float64))


class CityStore(Protocol):
    """What deriving the KPIs of a city needs of a store."""

    @property
    def drops_old(self) -> bool:
        """Whether rows that are older than a retention of the server are not held."""

    @property
    def points(self) -> Points | None:
        """Where rows for dashboards go; None for a store that no dashboard reads."""

    @property
    def states(self) -> States | None:
        """Where checkpoints of the KPI engine are kept; None for a store that does not keep any."""

    def put_city(self, record: CityRecord) -> None:
        """Store a city file. Raises UsageError where windows of another width are stored for the city."""

    def city(self, city: str) -> CityRecord | None:
        """The city of this id; of many cities only this one is read."""

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        """Upsert partials on (series, start). `table` names the series ids."""

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """Partials of a city with start in [start, end), in chunks in time order.

        Within a chunk sorted by (series, start). Unknown series are added to `table`; `series`: only these ids.
        """

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """First and last stored start of the city; None where nothing is stored."""

    def kept(self, city: str, level: Level) -> Kept | None:
        """From when on the city's partials of a level are kept; None: all are."""

    def put_kpis(self, values: Iterable[StoredKpi]) -> None:
        """Upsert KPI values on their identity."""

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """The KPI values of a query, sorted by (code, part, kind, time)."""

    def kpis_to_start(self, city: str) -> list[StoredKpi] | None:
        """The newest value of each KPI, part and kind of period, and all provisional ones of calendar periods.

        Some may be there twice. None: this store reads all of them with `kpis`.
        """


class Store(CityStore, Protocol):
    """The operations of every store."""

    def cities(self) -> list[CityRecord]:
        """All cities, sorted by id."""

    def changes(
        self, city: str, after: int, limit: int, kinds: Sequence[PeriodKind] | None = None
    ) -> list[tuple[int, StoredKpi]]:
        """The next `limit` KPI values behind change number `after`, each with its number, in their order.

        A value has the number of its last change. Numbers are given as values are committed and only grow, whatever
        any clock shows: a client that passes the last number it received misses nothing.
        """

    def newest_change(self, city: str) -> int:
        """The number of the last change that is committed; 0 where there is none."""

    def newest_readings(
        self, city: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Latest:
        """The newest reading of every series of a city in the hours with start in [start, end); no other rows are read.

        Unknown series are added to `table`; `series`: only these ids.
        """

    def kpi_times(self, city: str, kind: PeriodKind) -> tuple[int, int] | None:
        """First and last `time` (ms UTC) of the city's KPI values of a kind of period; None where it has none."""

    def kpis_changed(self, city: str, since: int) -> list[StoredKpi]:
        """KPI values with `updated` > since (ms), oldest change first."""

    def put_kept(self, city: str, level: Level, noted: Kept) -> None:
        """Store it before anything is deleted."""

    def delete_partials(self, city: str, level: Level, start: int, end: int, most: int) -> int:
        """Delete about `most` partials of a city with start in [start, end), the oldest first.

        Those of the ledger stay. Returns the time before which none is left in the range: `end` when it is done.
        """

    def put_heartbeats(self, beats: Iterable[Heartbeat]) -> None:
        """Upsert on role and name."""

    def heartbeats(self) -> list[Heartbeat]:
        """The newest of each role and name, sorted by them."""

    def put_log(self, entries: Iterable[LogEntry]) -> None:
        """Upsert entries of the log of reported figures."""

    def figure_log(self, city: str) -> list[LogEntry]:
        """The city's log of reported figures, sorted by figure and time."""

    def set_aside(self) -> list[tuple[str, str]]:
        """Rows that the store can never hold, each with the reason, since the last call; the others are stored."""

    def ping(self) -> None:
        """Return if the store can be read and written; raise Unavailable otherwise."""

    def close(self) -> None:
        """Release files and connections."""
