"""Points of dashboards in InfluxDB, beside windows and KPI values and in the same database.

Measurements: `device` (one row a device, time 0: what it is and how it is), `state` (one row a city and minute),
`event` (outages, calibrations, revisions, restarts), `newest` and `figure` (see adapters/newest_rows.py);
and fields beside those of `hour` (`band`) and `kpi` (`target`, `better`, `verdict`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from adapters.influx import some_kpis
from adapters.influx.answers import text
from adapters.influx.http import Answer, Connection, UnreadableAnswer
from adapters.influx.lines import site_name, tag, text_field
from adapters.influx.policies import Policies
from adapters.influx.sites import Sites
from adapters.points import Judged, Newest, Point
from telemetry.kpi_value import StoredKpi

_BATCH = 5_000
_KEPT = ("device,", "figure,", "kpi,", "newest,", "registry,")  # no retention may touch these
_LISTED = msgspec.json.Decoder(Answer[tuple[int, int | None, float | None]])
_JUDGED = msgspec.json.Decoder(Answer[tuple[int, int | None, str | None]])
_NEWEST = msgspec.json.Decoder(Answer[tuple[int, int | None, float | None, int | None]])


class InfluxPoints:
    """`Points` over a connection to InfluxDB."""

    def __init__(self, connection: Connection, sites: Sites, policies: Policies) -> None:
        self._connection, self._sites, self._policies = connection, sites, policies

    def put(self, points: Iterable[Point]) -> None:
        """See Points."""
        lines = (line for point in points if (line := point_line(self._placed(point))))
        while batch := list(islice(lines, _BATCH)):
            if not self._policies.apart:
                self._connection.write("\n".join(batch))
                continue
            kept = [line for line in batch if line.startswith(_KEPT)]
            if kept:
                self._policies.write(kept)
            if len(kept) < len(batch):
                self._connection.write("\n".join(line for line in batch if not line.startswith(_KEPT)))

    def _placed(self, point: Point) -> Point:
        """A field of `hour` needs the site under which that row is stored."""
        if point.measurement != "hour":
            return point
        device = point.tags["device"]
        site = self._sites.of(point.tags["city"], [device])[device]
        return point._replace(tags={**point.tags, "site": site})

    def newest(self, city: str) -> list[Newest]:
        """See Points."""
        mine = f'"city" = {text(city)}'
        query = (
            'SELECT last("last_t") AS "t", last("last") AS "v", last("n") AS "n" FROM "hour"'  # noqa: S608
            f' WHERE {mine} AND "n" > 0 GROUP BY "device", "quantity"'
        )
        fields = 'last("silent_after") AS "s", last("state_since") AS "t"'
        source = self._policies.source("device")
        listed = f'SELECT {fields} FROM {source} WHERE {mine} GROUP BY "device"'  # noqa: S608
        try:
            known = [
                Newest(piece.tags["device"], "", 0, math.nan if since is None else since, 0)
                for piece in self._connection.query(listed, _LISTED)
                for _, _, since in piece.values
            ]
            return [*self._newest(query), *known]
        except UnreadableAnswer:  # a server that takes InfluxDB's writes but does not answer its questions
            return []

    def judged(self, city: str) -> Judged | None:
        """See Points. Version 3 may answer with an older row."""
        if self._connection.target.version == 3:
            return None
        query = f'SELECT "judged_to", "judged_by" FROM {self._policies.source("registry")} WHERE "city" = {text(city)}'  # noqa: S608
        rows = [row for piece in self._connection.query(query, _JUDGED) for row in piece.values]
        return next((Judged(by, to) for _, to, by in rows if to is not None and by is not None), None)

    def updated_since(self, city: str, time: int) -> list[StoredKpi]:
        """See Points."""
        return some_kpis.updated_since(self._connection, self._policies.source("kpi"), city, time)

    def newest_of_years(self, city: str) -> list[StoredKpi]:
        """See Points."""
        return some_kpis.newest_of_years(self._connection, self._policies.source("kpi"), city)

    def _newest(self, query: str) -> Iterator[Newest]:
        for piece in self._connection.query(query, _NEWEST):
            for _, time, value, n in piece.values:
                if time is not None:
                    known = math.nan if value is None else value
                    yield Newest(piece.tags["device"], piece.tags["quantity"], time, known, n or 0)


def point_line(point: Point) -> str:
    """The line of a point; empty where it has no field with a value."""
    fields = ",".join(f"{name}={_field(value)}" for name, value in point.fields.items() if _stored(value))
    tags = "".join(f",{name}={tag(site_name(value))}" for name, value in sorted(point.tags.items()))
    return f"{point.measurement}{tags} {fields} {point.time}" if fields else ""


def _stored(value: float | int | str | None) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _field(value: float | int | str | None) -> str:
    if isinstance(value, str):
        return text_field(value)
    return f"{int(value)}i" if isinstance(value, bool | int) else repr(value)
