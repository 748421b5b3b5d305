"""A city with all that a store holds of it, as records of the log: how it moves from its ingest to the engine.

    store --> forget, hours, windows, values, owners --> log, then the city's file and ticks by the bridge

The first record drops what the job has of the city, so that a move that was broken off may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from adapters.store import CityStore, Level
from scale.records import Record
from telemetry.kpi_value import KpiQuery
from telemetry.series import SeriesTable
from telemetry.topics import ROOT
from telemetry.windows import DAY
from telemetry.wire import encode

FORGET, HOURS, WINDOWS, VALUES, OWNERS = "forget", "moved-hours", "moved-windows", "moved-values", "moved-owners"
_ROWS = 2000  # windows or values of a record: a quarter of a megabyte
_LEVELS: tuple[tuple[Level, str], ...] = (("hour", HOURS), ("window", WINDOWS))


def moved(store: CityStore, city: str, owners: Mapping[str, str], now: int) -> Iterator[Record]:
    """The records. `owners`: device -> the gateway that sends it; `now`: ms UTC, their time of arrival."""
    width = found.width if (found := store.city(city)) else 60_000
    yield _record(city, FORGET, now)
    for level, kind in _LEVELS:
        for payload in _partials(store, city, level, width):
            yield _record(city, kind, now, payload)
    values = store.kpis(KpiQuery(city))
    for first in range(0, len(values), _ROWS):
        yield _record(city, VALUES, now, msgspec.json.encode(values[first : first + _ROWS]))
    yield _record(city, OWNERS, now, msgspec.json.encode(dict(owners)))


def _partials(store: CityStore, city: str, level: Level, width: int) -> Iterator[bytes]:
    """Day by day, in messages as gateways send them."""
    span = store.span(city, level)
    for start in range(span[0] // DAY * DAY, span[1] + 1, DAY) if span else ():
        table = SeriesTable()
        for rows in store.partials(city, level, start, start + DAY, table):
            for first in range(0, len(rows), _ROWS):
                yield encode(city, width, rows.take(slice(first, first + _ROWS)), table)


def _record(city: str, kind: str, now: int, payload: bytes = b"") -> Record:
    return Record(f"{ROOT}/{city}/{kind}", now, payload)
