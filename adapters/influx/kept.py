"""From when on partials are kept in InfluxDB: measurement `kept`, tags city and level, time 0; and their deletion.

A deletion is of a range of time, because no server deletes a number of rows. InfluxDB 2 deletes by equality of tags
alone, so there it is one request for each quantity. InfluxDB 3 deletes no rows at all.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from adapters.influx.answers import COUNTS, between, text
from adapters.influx.http import Answer, Connection, UnreadableAnswer
from adapters.influx.lines import tag
from adapters.influx.policies import Policies
from adapters.store import Kept, Level
from telemetry.errors import UsageError
from telemetry.quantities import LEDGER
from telemetry.windows import DAY

_ROWS = msgspec.json.Decoder(Answer[tuple[int, int, int, int]])
_TAGS = msgspec.json.Decoder(Answer[tuple[str, str]])
# ms a deletion: it costs as much for an hour as for a day of the same series, and writes wait for it.
_PIECE: dict[Level, int] = {"window": DAY, "hour": 28 * DAY}


def kept(connection: Connection, policies: Policies, city: str, level: Level) -> Kept | None:
    """See Store."""
    where = f'"city" = {text(city)} AND "level" = {text(level)}'
    found: Kept | None = None
    for source in policies.sources("kept"):
        query = f'SELECT "start", "deleted", "at" FROM {source} WHERE {where}'  # noqa: S608
        try:
            rows = [row for piece in connection.query(query, _ROWS) for row in piece.values]
        except UnreadableAnswer:
            continue
        found = Kept(*rows[-1][1:]) if rows else found
    return found


def refuse_version_3(connection: Connection) -> None:
    """Raise UsageError where rows cannot be deleted; asked before anything is noted as deleted."""
    if connection.target.version == 3:
        raise UsageError(
            "InfluxDB 3 cannot delete rows. Take out store.keep_windows_days; its database may have a retention period."
        )


def put_kept(policies: Policies, city: str, level: Level, noted: Kept) -> None:
    """See Store."""
    values = f"start={noted.start}i,deleted={noted.deleted}i,at={noted.at}i"
    policies.write([f"kept,city={tag(city)},level={level} {values} 0"])


def delete_partials(connection: Connection, city: str, level: Level, start: int, end: int) -> int:
    """See Store; what is deleted at once is a day of windows, or four weeks of hours."""
    mine = f'"city" = {text(city)} AND "quantity" !~ /^{LEDGER}/'
    where = " AND ".join([mine, *between(start, end)])
    query = f'SELECT "n" FROM "{level}" WHERE {where} ORDER BY time ASC LIMIT 1'  # noqa: S608
    first = next((row[0] for piece in connection.query(query, COUNTS) for row in piece.values), None)
    if first is None:
        return end
    until = min(end, first // _PIECE[level] * _PIECE[level] + _PIECE[level])
    if connection.target.version == 1:
        connection.execute(f'DELETE FROM "{level}" WHERE {" AND ".join([mine, *between(start, until)])}')  # noqa: S608
        return until
    times = {"start": _rfc3339(start), "stop": _rfc3339(until - 1)}  # both ends are deleted
    for quantity in _quantities(connection, city, level):
        named = f'_measurement="{level}" AND "city"={_quoted(city)} AND "quantity"={_quoted(quantity)}'
        connection.delete2({**times, "predicate": named})
    return until


def _quantities(connection: Connection, city: str, level: Level) -> list[str]:
    query = f'SHOW TAG VALUES FROM "{level}" WITH KEY = "quantity" WHERE "city" = {text(city)}'
    named = [row[1] for piece in connection.query(query, _TAGS) for row in piece.values]
    return [name for name in named if not name.startswith(LEDGER)]


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(max(ms, 0) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
