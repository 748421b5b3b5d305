"""`cityvitals doctor`: devices and quantities that arrive and are in no city file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import rows
from registry.city import City
from registry.unregistered import unregistered
from telemetry.periods import iso
from telemetry.windows import DAY

_NAMED = 50


def unregistered_series(path: Path, cities: Sequence[City]) -> Iterator[str]:
    """A sentence for each series of the last day in the gateway's buffer that its city file does not know."""
    if not path.is_file() or not cities:
        return
    with closing(Buffer(path, None)) as opened:
        newest = rows(opened.db, "SELECT max(window) FROM reading")[0][0]
        if newest is None:
            return
        sql = "SELECT series, count(*), min(t) FROM reading WHERE window >= ? GROUP BY series"
        seen = {opened.table[s]: (n, t) for s, n, t in rows(opened.db, sql, (newest - DAY,))}
        said = [
            f"{why} ({n:,} readings since {iso(t)})"
            for city in cities
            for name, why in unregistered(city, [(s.device, s.quantity) for s in seen if s.city == city.id]).items()
            for s, (n, t) in seen.items()
            if (s.city, s.device, s.quantity) == (city.id, *name)
        ]
        unknown_cities = sorted({s.city for s in seen} - {c.id for c in cities})
    yield from said[:_NAMED]
    for name in unknown_cities:
        yield f"readings of the city '{name}' are stored, and no city file has that id"
