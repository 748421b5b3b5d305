"""`cityvitals doctor`: devices and quantities that arrive and are in no city file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import rows
from gateway.senders.not_served import named
from registry.city import City
from registry.unregistered import nearest_id, unregistered
from telemetry.periods import local_clock
from telemetry.series import Series
from telemetry.windows import DAY

_NAMED = 50


def unregistered_series(path: Path, cities: Mapping[Path, City]) -> Iterator[str]:
    """A sentence for each device of the last day in the gateway's buffer that its city file does not list.

    `cities`: by their files. What the gateway does not serve is named too, although nothing of it is stored.
    """
    if not path.is_file() or not cities:
        return
    with closing(Buffer(path, None)) as opened:
        seen = _of_the_last_day(opened)
        absent = named(opened.counters())
    sentences = [s for file, city in cities.items() for s in _of_city(file, city, seen)]
    yield from sentences[:_NAMED]
    if len(sentences) > _NAMED:
        yield f"{len(sentences) - _NAMED} more devices are not registered"
    ids = [city.id for city in cities.values()]
    for name in sorted({s.city for s in seen} - set(ids)):
        yield f"readings of the city '{name}' are stored, and no city file has that id{_nearest(name, ids)}"
    for name, n in absent.items():
        city, _, device = name.partition("/")
        what = f"device '{device}' of the city '{city}'" if device else f"the city '{city}'"
        near = "" if device else _nearest(city, ids)
        yield f"{n:,} messages of {what} arrived, which this gateway does not serve; nothing of them is stored{near}"


def _nearest(name: str, ids: list[str]) -> str:
    close = nearest_id(name, tuple(ids))
    return f"; nearest id {close}" if close else ""


def _of_the_last_day(opened: Buffer) -> dict[Series, tuple[int, int]]:
    """Readings and the time of the first, of each series of the newest day."""
    newest = opened.held_window("max")
    if newest is None:
        return {}
    sql = "SELECT series, count(*), min(t) FROM every_reading WHERE window >= ? GROUP BY series"
    return {opened.table[s]: (n, t) for s, n, t in rows(opened.db, sql, (newest - DAY,))}


def _of_city(file: Path, city: City, seen: Mapping[Series, tuple[int, int]]) -> Iterator[str]:
    for found in unregistered(city, [(s.device, s.quantity) for s in seen if s.city == city.id], _NAMED):
        mine = [seen[Series(city.id, found.device, q)] for q in found.quantities]
        since = local_clock(min(t for _, t in mine), city.zone)
        yield found.sentence(str(file), since, sum(n for n, _ in mine))


def last_heartbeat(path: Path) -> int | None:
    """When the gateway of this buffer stored its own counters last, ms UTC; None for never."""
    with closing(Buffer(path, None)) as opened:
        own = [i for i, s in enumerate(opened.table.all) if s.quantity == "gw_dirty"]
        if not own:
            return None
        sql = (
            "SELECT max(t) FROM reading WHERE window >= (SELECT max(window) FROM reading) - ?"
            " AND series IN (SELECT value FROM json_each(?))"
        )
        newest = rows(opened.db, sql, (DAY, json.dumps(own)))[0][0]
        return None if newest is None else int(newest)
