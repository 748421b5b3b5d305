"""The server-sent events of /v1/live, as bytes.

`snapshot` and `kpis` contain values and an id (the number of the last change in them); `alive` contains the server's
time and whether the store answers, so that a page can distinguish a city without changes from a broken connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from telemetry.kpi_value import StoredKpi, as_json
from telemetry.periods import iso


def values(event: Literal["snapshot", "kpis"], city: str, rows: Sequence[StoredKpi], number: int) -> bytes:
    """An event with KPI values. `number`: of the last change in it, 0 where there is none."""
    updated = max((row.updated for row in rows), default=0)
    data = {"city": city, "updated": iso(updated) if updated else None, "kpis": [as_json(row.kpi) for row in rows]}
    return b"id: %d\n" % number + _event(event, data)


def alive(now: int, available: bool) -> bytes:
    """The heartbeat: a comment, which keeps proxies from closing the connection, and the same for the page."""
    return b": heartbeat\n" + _event("alive", {"time": iso(now), "store": available})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\n".encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


def last_event_id(text: str | None) -> int | None:
    """The last id that a client received; None where it has none or an invalid one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
