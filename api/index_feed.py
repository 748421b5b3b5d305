"""The index feed: every KPI value of every city in the order in which its city's values changed, a page at a time.

A cursor holds the number of the last change of each city. The store assigns numbers when it commits values, so
a client that sends the last cursor receives the changes since then and nothing else, independent of the clocks of the
processes; a value that changes moves to the end of the feed. `since` skips values by the time of their change, which
depends on a clock: a client that must not miss anything uses a cursor.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.store import CityRecord
from api.shared_store import SharedStore
from reporting.collect.page import HEADER, header_of
from reporting.figures.reported import is_reported
from telemetry.errors import UsageError
from telemetry.kpi_value import StoredKpi, as_json
from telemetry.periods import PeriodKind, iso

VERSION = 1
MOST = 5_000
_AT_ONCE = 1_000  # rows that are looked at for `since`


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a reader of the feed stands: the number of the last change it got of each city. `since`: see above."""

    at: dict[str, int] = {}
    since: int = -1


class Page(NamedTuple):
    """Rows in order, the position after the last of them, and whether there are more."""

    rows: list[StoredKpi]
    place: Place
    more: bool


def to_cursor(place: Place) -> str:
    """A position as text for a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def from_cursor(text: str) -> Place:
    """The position of a cursor. Raises UsageError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return _from_time(raw) if raw.startswith(b"[") else msgspec.json.decode(raw, type=Place)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise UsageError(
            "the cursor is not valid; pass the cursor of the last answer, or none to start from the beginning."
        ) from error


def _from_time(raw: bytes) -> Place:
    """A cursor from before changes were numbered: the time of the last change, after which some values are sent a
    second time.
    """
    updated = msgspec.json.decode(raw, type=tuple[int, str, str, str, str, int])[0]
    return Place(since=updated - 1)


def page(
    store: SharedStore, cities: Iterable[str], kinds: Sequence[PeriodKind] | None, place: Place, limit: int
) -> Page:
    """The next `limit` values after `place`, city by city. `kinds`: only these kinds of periods.

    The store reads as many rows as the page has, and those that `since` leaves out: many at once, also for small pages.
    """
    at, rows = dict(place.at), list[StoredKpi]()
    for city in cities:
        while True:
            room = limit - len(rows)
            asked = room if place.since < 0 else max(room, _AT_ONCE)
            found = store.changes(city, at.get(city, 0), asked + 1, kinds)
            for number, row in found[:asked]:
                if row.updated > place.since:
                    if len(rows) == limit:
                        return Page(rows, Place(at, place.since), more=True)
                    rows.append(row)
                at[city] = number
            if len(found) <= asked:
                break
            if len(rows) == limit:
                return Page(rows, Place(at, place.since), more=True)
    return Page(rows, Place(at, place.since), more=False)


def as_entry(row: StoredKpi) -> dict[str, Any]:
    """A value as an entry of the feed: the fields of the API and its history."""
    return {
        **as_json(row.kpi),
        "kind": row.kpi.kind,
        "origin": "reported" if is_reported(row.kpi) else "derived",
        "changed": iso(row.changed),
        "updated": iso(row.updated),
        "previous": row.previous,
    }


def licence_of(record: CityRecord) -> str | None:
    """The licence of a city's values: `licence` in [city.extra], None where it is not set."""
    extra = record.config["city"].get("extra", {})
    found = extra.get("licence", extra.get("license"))
    return None if found is None else str(found)


_FEED = "/v1/index/kpis"


class SignFeed:
    """Adds the signature of the whole body as a header. Raises UsageError for a key that cannot be used."""

    def __init__(self, app: ASGIApp, key: Path) -> None:
        from reporting.evidence.keys import private_key, public_of  # noqa: PLC0415 - only signing needs `cryptography`

        self._app, self._key = app, private_key(key)
        self._public = public_of(self._key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"] != _FEED:
            await self._app(scope, receive, send)
            return
        head: list[Message] = []
        body = bytearray()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                signature = header_of(self._public, self._key.sign(bytes(body)))
                MutableHeaders(raw=head[0]["headers"])[HEADER] = signature
                await send(head[0])
                await send({"type": "http.response.body", "body": bytes(body)})

        await self._app(scope, receive, hold)
