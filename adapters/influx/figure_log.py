"""The log of reported figures in InfluxDB: measurement `figure_log`, tags city and figure; no retention deletes it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.influx.answers import text
from adapters.influx.http import Answer, Connection, UnreadableAnswer
from adapters.influx.lines import quoted, tag
from adapters.influx.policies import Policies
from adapters.store import LogEntry

_ROWS = msgspec.json.Decoder(Answer[tuple[int, str]])


def put(policies: Policies, entries: Iterable[LogEntry]) -> None:
    """Write them, each under its own time. Raises Unavailable."""
    lines = [f"figure_log,city={tag(e.city)},figure={tag(e.figure)} text={quoted(e.text)} {e.time}" for e in entries]
    if lines:
        policies.write(lines)


def of_city(connection: Connection, policies: Policies, city: str) -> list[LogEntry]:
    """The entries of a city; none from a server that does not answer such questions."""
    found: dict[tuple[str, int], LogEntry] = {}
    for source in policies.sources("figure_log"):
        query = f'SELECT "text" FROM {source} WHERE "city" = {text(city)} GROUP BY "figure"'  # noqa: S608
        try:
            pieces = list(connection.query(query, _ROWS))
        except UnreadableAnswer:
            return []
        for piece in pieces:
            for time, said in piece.values:
                figure = piece.tags["figure"]
                found[figure, time] = LogEntry(city, figure, time, said)
    return [found[key] for key in sorted(found)]
