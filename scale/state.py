"""The state of one city as a mapping from short keys to bytes, which any engine can keep, checkpoint and move.

It is the store (`CityStore`) of the city's ingest. A write changes only the entries it touches: partials are kept by
window start and block of series, KPI values by identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from itertools import pairwise

import msgspec
import numpy as np

from adapters.columns import BUCKET
from adapters.points import Points
from adapters.states import States
from adapters.store import CityRecord, Kept, Level
from scale.blocks import BLOCK, block_of, pack, unpack
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials
from telemetry.series import IntArray, Series, SeriesTable

State = MutableMapping[str, bytes]

_CITY, _DERIVED, _WAITING = "city", "underived", "waiting"
_kpi = msgspec.json.Decoder(StoredKpi)
_names = msgspec.json.Decoder(list[tuple[str, str]])


class StateStore:
    """One city's `CityStore` over a mapping. Series have the numbers of `table`, which is filled from the state."""

    points: Points | None = None
    drops_old = True
    states: States | None = None  # the state is what a distributed engine keeps

    def __init__(self, state: State, city: str) -> None:
        self._state, self._city = state, city
        self.table = SeriesTable()
        self._named = 0  # series whose names are in the state
        self._waiting = 0  # messages of windows that wait
        self._entries: dict[Level, dict[int, set[int]]] = {"window": {}, "hour": {}}  # start -> blocks
        self._load()

    def _load(self) -> None:
        for key in self._state:
            kind, _, rest = key.partition("/")
            if kind in ("window", "hour"):
                start, _, block = rest.partition("/")
                level: Level = "window" if kind == "window" else "hour"
                self._entries[level].setdefault(int(start), set()).add(int(block))
            elif kind == _WAITING:
                self._waiting += 1
        while (known := self._state.get(f"series/{self._named // BLOCK}")) is not None:
            for device, quantity in _names.decode(known)[self._named % BLOCK :]:
                self.table.id_of(Series(self._city, device, quantity))
            if len(self.table) == self._named or len(self.table) % BLOCK:
                break
            self._named = len(self.table)
        self._named = len(self.table)

    def _name_series(self) -> None:
        """Store the names of new series."""
        for block in range(self._named // BLOCK, -(-len(self.table) // BLOCK)):
            names = [(s.device, s.quantity) for s in self.table.all[block * BLOCK : (block + 1) * BLOCK]]
            self._state[f"series/{block}"] = msgspec.json.encode(names)
        self._named = len(self.table)

    def put_city(self, record: CityRecord) -> None:
        """See CityStore."""
        stored = self.city(record.id)
        if stored and stored.width != record.width and self._entries["window"]:
            raise UsageError(f"The state has windows of {stored.width // 1000} s for {record.id}.")
        self._state[_CITY] = msgspec.json.encode(record._asdict())

    def city(self, city: str) -> CityRecord | None:
        """See CityStore."""
        found = self._state.get(_CITY)
        return CityRecord(**msgspec.json.decode(found)) if found and city == self._city else None

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        """See CityStore. `table`: the one of this state."""
        if not len(partials):
            return
        if table is not self.table:
            raise UsageError("The state of a city has its own table of series.")
        if len(table) > self._named:
            self._name_series()
        block = block_of(partials.series)
        order = np.lexsort((partials.series, block, partials.start))
        rows, block = partials.take(order), block[order]
        change = np.flatnonzero((np.diff(rows.start) != 0) | (np.diff(block) != 0)) + 1
        edges = [0, *change.tolist(), len(rows)]
        for first, last in pairwise(edges):
            self._put_entry(level, int(rows.start[first]), int(block[first]), rows.take(slice(first, last)))

    def _put_entry(self, level: Level, start: int, block: int, rows: Partials) -> None:
        key = f"{level}/{start}/{block}"
        held = self._entries[level].setdefault(start, set())
        if block in held:
            rows = Partials.concat([unpack(self._state[key]), rows]).latest()
        held.add(block)
        self._state[key] = pack(rows)

    def partials(
        self,
        city: str,
        level: Level,
        start: int,
        end: int,
        table: SeriesTable,  # noqa: ARG002 - the one of this state
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """See CityStore."""
        entries = self._entries[level]
        within = sorted(t for t in entries if start <= t < end) if city == self._city else []
        wanted = None if series is None else set(block_of(series).tolist())
        buckets: dict[int, list[Partials]] = {}
        for t in within:
            blocks = entries[t] if wanted is None else entries[t] & wanted
            found = [unpack(self._state[f"{level}/{t}/{block}"]) for block in sorted(blocks)]
            buckets.setdefault(t // BUCKET[level], []).extend(found)
        for parts in buckets.values():
            rows = Partials.concat(parts).latest()
            if series is not None:
                rows = rows.take(np.isin(rows.series, series))
            if len(rows):
                yield rows

    def wait(self, windows: Partials) -> None:
        """Keep windows, series by `table`, for `waited`."""
        if len(self.table) > self._named:
            self._name_series()
        self._state[f"{_WAITING}/{self._waiting}"] = pack(windows)
        self._waiting += 1

    def waited(self) -> Partials:
        """What waits, sorted, of each (series, start) the newest; it waits no more."""
        found = [unpack(self._state.pop(f"{_WAITING}/{number}")) for number in range(self._waiting)]
        self._waiting = 0
        return Partials.concat(found).latest()

    def span(self, city: str, level: Level) -> tuple[int, int] | None:
        """See CityStore."""
        entries = self._entries[level]
        return (min(entries), max(entries)) if entries and city == self._city else None

    def kept(self, city: str, level: Level) -> Kept | None:  # noqa: ARG002 - the state holds all it was given
        """See CityStore."""
        return None

    def put_kpis(self, values: Iterable[StoredKpi]) -> None:
        """See CityStore."""
        for value in values:
            _, code, part, kind, time = value.kpi.identity
            self._state[f"kpi/{code}/{part}/{kind}/{time}"] = msgspec.json.encode(value)

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """See CityStore; all values of the city, for the queries of an ingest name nothing else."""
        if query != KpiQuery(self._city):
            raise UsageError("The state of a city answers the query for all of its values only.")
        found = [_kpi.decode(self._state[key]) for key in list(self._state) if key.startswith("kpi/")]
        return sorted(found, key=lambda v: v.kpi.identity)

    def kpis_to_start(self, _city: str) -> list[StoredKpi] | None:
        """See CityStore."""
        return None

    @property
    def underived(self) -> bool:
        """Whether values are to be derived of everything that is stored, not only of what waits."""
        return self._state.get(_DERIVED) == b"1"

    @underived.setter
    def underived(self, value: bool) -> None:
        if value != self.underived:
            self._state[_DERIVED] = b"1" if value else b"0"
