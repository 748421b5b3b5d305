"""Public transport from a GTFS feed, a zip file of timetables: length of the network, and stops."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator

from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

GIVES = {
    "EC:I:T:1C": "shapes.txt, or the order of stops in stop_times.txt",
    "EC:I:T:2A": "stops.txt and points with inhabitants",
    "EC:ICT:T:1C": "stops.txt and the stops of recorded trip updates (GTFS Realtime as JSON)",
}


class Feed:
    """A feed's tables. Raises ValueError for what is not one."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile:
            raise ValueError("it is not a zip file; a GTFS feed is one") from None
        self._names = {name.rsplit("/", 1)[-1]: name for name in self._zip.namelist()}
        if "stops.txt" not in self._names:
            raise ValueError("it contains no stops.txt; it is not a GTFS feed")

    def rows(self, table: str) -> Iterator[dict[str, str]]:
        """The rows of a table; none where the feed does not have it."""
        if table in self._names:
            with self._zip.open(self._names[table]) as raw:
                yield from csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))

    def stops(self) -> dict[str, Point]:
        """Boarding places (location_type empty or 0), by id. Raises ValueError naming the line."""
        found = {}
        for line, row in enumerate(self.rows("stops.txt"), start=2):
            if (row.get("location_type") or "0") != "0":
                continue
            try:
                found[row["stop_id"]] = Point(float(row["stop_lon"]), float(row["stop_lat"]))
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"stops.txt, line {line}: stop_id, stop_lat and stop_lon are needed") from None
        return found

    def lines(self) -> list[BaseGeometry]:
        """The ways of the trips: their shapes, or straight lines between their stops."""
        by_shape: dict[str, list[tuple[float, float, float]]] = {}
        for row in self.rows("shapes.txt"):
            place = (float(row["shape_pt_sequence"]), float(row["shape_pt_lon"]), float(row["shape_pt_lat"]))
            by_shape.setdefault(row["shape_id"], []).append(place)
        if by_shape:
            return [
                LineString([(x, y) for _, x, y in sorted(points)]) for points in by_shape.values() if len(points) > 1
            ]
        return self._straight()

    def _straight(self) -> list[BaseGeometry]:
        stops = self.stops()
        trips: dict[str, list[tuple[int, str]]] = {}
        for row in self.rows("stop_times.txt"):
            trips.setdefault(row["trip_id"], []).append((int(row["stop_sequence"]), row["stop_id"]))
        ways = {tuple(stop for _, stop in sorted(calls)) for calls in trips.values()}
        return [
            LineString([stops[s] for s in way if s in stops])
            for way in sorted(ways)
            if sum(s in stops for s in way) > 1
        ]


def stops_with_updates(messages: list[dict[str, object]]) -> set[str]:
    """The stops that recorded trip updates name, each a FeedMessage as JSON (snake or camel case)."""
    found: set[str] = set()
    for message in messages:
        for entity in _list(message, "entity"):
            update = entity.get("trip_update") or entity.get("tripUpdate") or {}
            for stop in _list(update, "stop_time_update") or _list(update, "stopTimeUpdate"):
                found.add(str(stop.get("stop_id") or stop.get("stopId") or ""))
    return found - {""}


def _list(of: object, key: str) -> list[dict[str, object]]:
    found = of.get(key) if isinstance(of, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
