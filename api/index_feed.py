"""The index feed: every KPI value of every city in the order in which it changed, a page at a time.

A cursor is a place in that order. Whoever keeps the last cursor and asks again gets what has changed since, and
nothing else; a value that changes moves to the end and is told again. A value appears `SETTLE_MS` after it was derived,
so that one whose write took a moment longer is not passed over.
"""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from adapters.store import CityRecord
from api.shared_store import SharedStore
from reporting.figures.reported import is_reported
from telemetry.errors import UsageError
from telemetry.kpi_value import StoredKpi, as_json
from telemetry.periods import iso

VERSION = 1
SETTLE_MS = 3_000
MOST = 5_000

Place = tuple[int, str, str, str, str, int]


class Page(NamedTuple):
    """Rows in order, the place behind the last of them, and whether there are more."""

    rows: list[StoredKpi]
    place: Place
    more: bool


def place_of(row: StoredKpi) -> Place:
    """Where a value stands in the feed."""
    k = row.kpi
    return (row.updated, k.city, k.code, k.part, k.kind, k.time)


def beginning(since: int) -> Place:
    """The place behind everything that changed at `since` (UTC ms) or before."""
    return (since + 1, "", "", "", "", 0)


def to_cursor(place: Place) -> str:
    """A place as text for a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def from_cursor(text: str) -> Place:
    """The place a cursor names. Raises UsageError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place: Place = msgspec.json.decode(raw, type=Place)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise UsageError(
            "cursor is none of ours; pass the cursor of the last answer, or none to start anew."
        ) from error
    return place


def page(
    store: SharedStore, cities: Iterable[str], kinds: Sequence[str] | None, place: Place, limit: int, now: int
) -> Page:
    """The next `limit` values behind `place`. `kinds`: only these kinds of periods. `now`: UTC ms."""
    rows = (
        row
        for city in cities
        for row in store.kpis_changed(city, place[0] - 1)
        if row.updated <= now - SETTLE_MS and place_of(row) > place and (kinds is None or row.kpi.kind in kinds)
    )
    found = heapq.nsmallest(limit + 1, rows, key=place_of)
    some = found[:limit]
    return Page(some, place_of(some[-1]) if some else place, len(found) > limit)


def as_entry(row: StoredKpi) -> dict[str, Any]:
    """A value as the feed tells it: that of the API, and which revision of what it is."""
    return {
        **as_json(row.kpi),
        "kind": row.kpi.kind,
        "origin": "reported" if is_reported(row.kpi) else "derived",
        "changed": iso(row.changed),
        "updated": iso(row.updated),
        "previous": row.previous,
    }


def licence_of(record: CityRecord) -> str | None:
    """Under which licence a city gives its values: `licence` in [city.extra], None where it does not say."""
    extra = record.config["city"].get("extra", {})
    found = extra.get("licence", extra.get("license"))
    return None if found is None else str(found)
