"""The order in which KPI values of a city changed, as InfluxDB keeps it.

InfluxDB has no transactions. Each value carries its number in the field `number`; when a write is through, the largest
number is noted in measurement `feed` (tag city, one point an hour). Readers see no number beyond that note, because of
a write that is in flight they might see the later values first. One process at a time writes the values of a city.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from adapters.influx.answers import (
    COUNTS,
    KPIS,
    NUMBERED_KPIS,
    between,
    columns,
    kpi_values,
    one_of,
    select_kpis,
    text,
    whole,
)
from adapters.influx.http import Answer, Connection, SeriesOf, UnreadableAnswer
from adapters.influx.lines import kpi_line, tag
from adapters.influx.policies import Policies
from telemetry.kpi_value import StoredKpi
from telemetry.periods import PeriodKind
from telemetry.windows import HOUR

_BATCH = 5_000
_LATEST = 4_102_444_800_000  # ms; the year 2100
_COUNTED = msgspec.json.Decoder(Answer[tuple[int, int | None, int | None, int | None]])
_MAX = msgspec.json.Decoder(Answer[tuple[int, int | None]])
Identity = tuple[str, str, str, int]  # code, part, kind, time


class _Index:
    """What is known of a city's order: numbers that only grow, of each the identity; an identity may be there twice."""

    def __init__(self) -> None:
        self.upto = 0
        self.numbers: list[int] = []
        self.identities: list[Identity] = []
        self.last: dict[Identity, int] = {}

    def add(self, found: list[tuple[int, Identity]], upto: int) -> None:
        """More changes, all behind those that are known."""
        for number, identity in sorted(found):
            self.numbers.append(number)
            self.identities.append(identity)
            self.last[identity] = number
        self.upto = upto
        if len(self.numbers) > 2 * len(self.last) + 1000:
            kept = [(n, i) for n, i in zip(self.numbers, self.identities, strict=True) if self.last[i] == n]
            self.numbers, self.identities = [n for n, _ in kept], [i for _, i in kept]

    def after(self, number: int, limit: int, kinds: Sequence[str] | None) -> list[tuple[int, Identity]]:
        """The next changes behind a number."""
        found: list[tuple[int, Identity]] = []
        for place in range(bisect_right(self.numbers, number), len(self.numbers)):
            identity = self.identities[place]
            if self.last[identity] == self.numbers[place] and (kinds is None or identity[2] in kinds):
                found.append((self.numbers[place], identity))
                if len(found) == limit:
                    break
        return found


class Changes:
    """The orders of all cities of one database."""

    def __init__(self, connection: Connection, policies: Policies) -> None:
        self._connection, self._policies = connection, policies
        self._begun: set[str] = set()
        self._next: dict[str, int] = {}
        self._known: dict[str, _Index] = {}

    # -- writing -------------------------------------------------------------------------------------------------------

    def put(self, values: Iterable[StoredKpi]) -> None:
        """Write values with their numbers, then note the largest of each city."""
        by_city: dict[str, list[StoredKpi]] = {}
        for value in values:
            by_city.setdefault(value.kpi.city, []).append(value)
        for city, rows in by_city.items():
            first = self._next.pop(city, 0) or self._largest(city) + 1
            lines = [kpi_line(row, first + place) for place, row in enumerate(rows)]
            for start in range(0, len(lines), _BATCH):
                self._policies.write(lines[start : start + _BATCH])
            self._next[city] = first + len(rows)  # only now: of a write that failed some numbers may be given
            self._note(city, first + len(rows) - 1, max(row.updated for row in rows))

    def begin(self, city: str) -> None:
        """Before the first write of a process: number what an older program wrote, show what was not noted."""
        if city in self._begun:
            return
        if self._policies.apart and not self._largest(city):
            self._copy(city)
        source = self._policies.source("kpi")
        query = f'SELECT count("number"), count("updated"), max("updated") FROM {source} WHERE "city" = {text(city)}'  # noqa: S608
        counts = [row[1:] for piece in self._connection.query(query, _COUNTED) for row in piece.values]
        if counts and (counts[0][0] or 0) < (counts[0][1] or 0):
            self.put(sorted(self._all(city), key=lambda v: (v.updated, v.kpi.identity)))
        elif counts and (largest := self._largest(city)) > self.newest(city):
            self._note(city, largest, counts[0][2] or 0)
        self._begun.add(city)

    def _copy(self, city: str) -> None:
        """Values from before they had a policy of their own, with their numbers; the largest is written last."""
        query = select_kpis('"kpi"', [f'"city" = {text(city)}'], ["number"])
        found = [
            (row[-1] or 0, value)
            for piece in self._connection.query(query, NUMBERED_KPIS)
            for rows in (whole(piece.values),)
            for row, value in zip(rows, kpi_values(city, SeriesOf([row[:-1] for row in rows], piece.tags)), strict=True)
        ]
        found.sort(key=lambda numbered: (numbered[0], numbered[1].kpi.identity))
        lines = [kpi_line(value, number) for number, value in found]
        for start in range(0, len(lines), _BATCH):
            self._policies.write(lines[start : start + _BATCH])

    def _all(self, city: str) -> list[StoredKpi]:
        pieces = self._connection.query(select_kpis(self._policies.source("kpi"), [f'"city" = {text(city)}']), KPIS)
        return [value for piece in pieces for value in kpi_values(city, piece)]

    def _note(self, city: str, number: int, updated: int) -> None:
        """Show readers all numbers up to this one; under the hour of the change, because the point must have a time."""
        hour = max(0, min(updated, _LATEST)) // HOUR * HOUR
        self._policies.write([f"feed,city={tag(city)} number={number}i {hour}"])

    def _largest(self, city: str) -> int:
        try:
            return max(self._max("kpi", city), self.newest(city))
        except UnreadableAnswer:  # a server that supports InfluxDB's writes but not its queries
            return 0

    def _max(self, measurement: str, city: str) -> int:
        query = f'SELECT max("number") FROM {self._policies.source(measurement)} WHERE "city" = {text(city)}'  # noqa: S608 - fixed names
        rows = [row for piece in self._connection.query(query, _MAX) for row in piece.values]
        return (rows[0][1] or 0) if rows else 0

    # -- reading -------------------------------------------------------------------------------------------------------

    def newest(self, city: str) -> int:
        """See Store.newest_change."""
        return self._max("feed", city)

    def after(
        self, city: str, number: int, limit: int, kinds: Sequence[PeriodKind] | None
    ) -> list[tuple[int, StoredKpi]]:
        """See Store.changes."""
        index = self._refreshed(city)
        found = index.after(number, limit, kinds)
        rows = self._rows(city, [identity for _, identity in found])
        return [(n, rows[identity]) for n, identity in found if identity in rows]

    def _refreshed(self, city: str) -> _Index:
        """The city's order up to what is noted now."""
        index = self._known.setdefault(city, _Index())
        newest = self.newest(city)
        if newest > index.upto:
            where = f'"city" = {text(city)} AND "number" > {index.upto} AND "number" <= {newest}'
            source = self._policies.source("kpi")
            query = f'SELECT {columns(["number"])} FROM {source} WHERE {where} GROUP BY "code", "part", "period"'  # noqa: S608
            index.add(
                [
                    (number, (p.tags["code"], p.tags["part"].removeprefix("-"), p.tags["period"], t))
                    for p in self._connection.query(query, COUNTS)
                    for t, number in p.values
                ],
                newest,
            )
        return index

    def _rows(self, city: str, wanted: list[Identity]) -> dict[Identity, StoredKpi]:
        """The values of these identities: one question for each code, part and kind, over the times in question."""
        times: dict[tuple[str, str, str], list[int]] = {}
        for code, part, kind, t in wanted:
            times.setdefault((code, part, kind), []).append(t)
        found: dict[Identity, StoredKpi] = {}
        names = list(times)
        for start in range(0, len(names), 50):
            query = "; ".join(
                select_kpis(
                    self._policies.source("kpi"),
                    [f'"city" = {text(city)}', one_of("code", [code]), one_of("part", [part or "-"]),
                     one_of("period", [kind]), *between(min(times[code, part, kind]), max(times[code, part, kind]) + 1)]
                )
                for code, part, kind in names[start : start + 50]
            )  # fmt: skip
            for piece in self._connection.query(query, KPIS):
                for value in kpi_values(city, piece):
                    found[value.kpi.code, value.kpi.part, value.kpi.kind, value.kpi.time] = value
        return found
