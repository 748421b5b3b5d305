"""Heartbeats in InfluxDB: measurement `heartbeat`, tags role and name, one row for each time."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.influx.http import Answer, Connection, UnreadableAnswer
from adapters.influx.lines import tag
from adapters.store import Heartbeat

_ROWS = msgspec.json.Decoder(Answer[tuple[int, int]])


def put(connection: Connection, beats: Iterable[Heartbeat]) -> None:
    """Write them, each under its own time. Raises Unavailable."""
    lines = [f"heartbeat,role={tag(b.role)},name={tag(b.name)} up=1i {b.time}" for b in beats]
    if lines:
        connection.write("\n".join(lines))


def newest(connection: Connection) -> list[Heartbeat]:
    """The newest of each role and name; none from a server that does not answer such questions."""
    query = 'SELECT "up" FROM "heartbeat" GROUP BY "role", "name" ORDER BY time DESC LIMIT 1'
    try:
        found = connection.query(query, _ROWS)
    except UnreadableAnswer:
        return []
    return sorted(Heartbeat(piece.tags["role"], piece.tags["name"], row[0]) for piece in found for row in piece.values)
