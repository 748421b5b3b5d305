"""The KPI values that the store has of a city, as far as they were read: a start needs the newest only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import cast

from adapters.store import CityStore
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.periods import KINDS, PeriodKind
from telemetry.windows import DAY, EARLIEST, HOUR

_ALWAYS = -(1 << 60)
# How much time is read at once, in which a value is looked for: some thousand values at most.
_WIDTH: dict[PeriodKind, int] = {
    "day": 8 * DAY, "month": 400 * DAY, "quarter": 400 * DAY, "year": 4000 * DAY, "24h": 12 * HOUR, "365d": 8 * DAY,
}  # fmt: skip
_LONGEST: dict[PeriodKind, int] = {
    "day": 2 * DAY, "month": 32 * DAY, "quarter": 94 * DAY, "year": 367 * DAY, "24h": 0, "365d": 0,
}  # fmt: skip
Identity = tuple[str, str, str, str, int]


class Known:
    """The values by their identity. From `_from` on all of a kind are in memory, before it those of the parts `_read`.

    Of the newest of each KPI, part and kind, and of provisional ones of calendar periods, none is ever missing.
    """

    def __init__(self, store: CityStore, city: str) -> None:
        self._store, self._city = store, city
        first = store.kpis_to_start(city)
        self._values = {v.kpi.identity: v for v in (store.kpis(KpiQuery(city)) if first is None else first)}
        self._from = dict.fromkeys(KINDS, _ALWAYS)
        self._read: set[tuple[PeriodKind, int]] = set()
        if first is not None:
            for value in (v.kpi for v in first):
                self._from[value.kind] = max(self._from[value.kind], value.time)

    def update(self, changed: Iterable[StoredKpi]) -> None:
        """These are stored now."""
        self._values.update({v.kpi.identity: v for v in changed})

    def get(self, identity: Identity) -> StoredKpi | None:
        """The value as it is stored. Raises Unavailable where it has to be read and cannot be."""
        if (value := self._values.get(identity)) is not None:
            return value
        kind, time = cast(PeriodKind, identity[3]), identity[4]
        part = kind, time // _WIDTH[kind]
        if time < self._from[kind] and part not in self._read:
            start = part[1] * _WIDTH[kind]
            self._load(kind, start, min(start + _WIDTH[kind], self._from[kind]))
            self._read.add(part)
        return self._values.get(identity)

    def before(self, changed: Iterable[StoredKpi]) -> dict[Identity, StoredKpi]:
        """What these replace, as long as `update` was not called: each was looked for before it was stored."""
        return {v.kpi.identity: old for v in changed if (old := self._values.get(v.kpi.identity))}

    def newest(self) -> Collection[StoredKpi]:
        """The newest of each KPI, part and kind that was not withdrawn, and others.

        A clock that was ahead leaves withdrawn ones as the newest; those before them are read here.
        """
        for kind in {v.kpi.kind for v in self._values.values() if v.kpi.reason == "future"}:
            width = _WIDTH[kind]
            while self._from[kind] > EARLIEST and self._lacks_newest(kind):
                self._since({kind: self._from[kind] - width})
                width *= 2
        return self._values.values()

    def _lacks_newest(self, kind: PeriodKind) -> bool:
        """Whether of a KPI all those of this kind that are surely in memory were withdrawn."""
        values = [v.kpi for v in self._values.values() if v.kpi.kind == kind]
        found = {(v.code, v.part) for v in values if v.reason != "future" and v.time >= self._from[kind]}
        return any((v.code, v.part) not in found for v in values if v.reason == "future")

    def in_memory(self) -> Collection[StoredKpi]:
        """Those that were read or written."""
        return self._values.values()

    def ending_after(self, time: int, kinds: Collection[PeriodKind]) -> list[KpiValue]:
        """All of these kinds of periods that end after that time (ms UTC)."""
        found = self._since({kind: time - _LONGEST[kind] for kind in kinds})
        return [v.kpi for v in found if v.kpi.kind in kinds and v.kpi.end > time]

    def all(self) -> Collection[StoredKpi]:
        """All of the city."""
        return self._since(dict.fromkeys(KINDS, _ALWAYS))

    def _since(self, start: dict[PeriodKind, int]) -> Collection[StoredKpi]:
        for kind, first in start.items():
            if first < self._from[kind]:
                self._load(kind, first, self._from[kind])
                self._from[kind] = first
        return self._values.values()

    def _load(self, kind: PeriodKind, start: int, end: int) -> None:
        for value in self._store.kpis(KpiQuery(self._city, [kind], None, start, end)):
            self._values.setdefault(value.kpi.identity, value)
