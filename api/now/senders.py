"""What arrives and is in no KPI: counted of the stored hours, for the list of the API and for its metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from adapters.store import CityRecord
from api.devices import newest_of
from api.queries import model_of
from api.shared_store import SharedStore
from registry.unregistered import Unregistered, unregistered
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR

LOOK_BACK = DAY + HOUR


class Seen(NamedTuple):
    """How many readings, and the times of the first and last, ms UTC."""

    readings: int
    since: int
    until: int


Found = list[tuple[Unregistered, Seen]]


def unregistered_of(record: CityRecord, store: SharedStore, now: int) -> Found:
    """Devices of the last 25 hours that the city file lacks, or of which it lacks a quantity.

    Only their hours are counted: of a large city all hours of a day take seconds, which series there are a tenth.
    """
    table, span = SeriesTable(), (now - LOOK_BACK, now + HOUR)
    newest = newest_of(store.newest_readings(record.id, *span, table), table)
    found = unregistered(model_of(record), [(device, q) for device, quantities in newest.items() for q in quantities])
    ids = [table.id_of(Series(record.id, one.device, q)) for one in found for q in one.quantities]
    if not ids:
        return []
    seen = _seen(store.partials(record.id, "hour", *span, table, np.array(sorted(ids), dtype=np.int64)), table)
    counted = ((one, [seen[one.device, q] for q in one.quantities if (one.device, q) in seen]) for one in found)
    return [(one, _together(some)) for one, some in counted if some]


def count_of(record: CityRecord, store: SharedStore, now: int) -> int:
    """How many there are."""
    return len(unregistered_of(record, store, now))


def _together(some: list[Seen]) -> Seen:
    return Seen(sum(s.readings for s in some), min(s.since for s in some), max(s.until for s in some))


def _seen(chunks: Iterable[Partials], table: SeriesTable) -> dict[tuple[str, str], Seen]:
    """What arrived, by device and quantity."""
    found: dict[tuple[str, str], list[Seen]] = {}
    for chunk in chunks:
        rows = chunk.take(np.flatnonzero(chunk.n > 0))
        for s, *one in zip(
            rows.series.tolist(), rows.n.tolist(), rows.first_t.tolist(), rows.last_t.tolist(), strict=True
        ):
            found.setdefault((table[s].device, table[s].quantity), []).append(Seen(*one))
    return {name: _together(some) for name, some in found.items()}
