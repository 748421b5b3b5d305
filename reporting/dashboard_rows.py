"""What dashboards need beside figures that are reported or imported; ingest writes the same beside what it derives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.newest_rows import NewestRows
from adapters.points import Point, beside_value
from adapters.store import Store
from kpi_derivation.verdicts import beside, goal_of, goals, point_of, verdict
from registry.city import City
from telemetry.kpi_value import StoredKpi


def put_rows(store: Store, values: Iterable[StoredKpi], city: City, before: City | None) -> None:
    """Write them for all values of years of a city; stores that no dashboard reads get none. `before`: its old file."""
    if store.points:
        store.points.put(rows(list(values), city, before))


def rows(values: Iterable[StoredKpi], city: City, before: City | None) -> Iterator[Point]:
    """Target and verdict of the values that have or had a target, and the newest value of each figure."""
    wanted = goals(city)
    judged = wanted.keys() | (goals(before).keys() if before else set())
    for k in (stored.kpi for stored in values):
        if point_of(k) in judged:
            yield beside_value(k, beside(k, wanted))
    yield from NewestRows(city.id, values, lambda k: verdict(k, goal_of(k, wanted))).all()
