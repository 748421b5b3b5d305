"""The few KPI values that a start needs, chosen by the server, which sends only these.

A condition on a field lets the server decode every field of every row. So first the times of the wanted rows are asked
for, of which it decodes one field, and then the rows of these times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from adapters.influx.answers import KPIS, between, kpi_values, one_of, select_kpis, text
from adapters.influx.http import Answer, Connection
from telemetry.kpi_value import StoredKpi
from telemetry.periods import YEARLY

_TIMES = msgspec.json.Decoder(Answer[tuple[int, str | int | None]])
_NEWEST_FIRST = "ORDER BY time DESC LIMIT 1"  # of each series


def newest(connection: Connection, source: str, city: str) -> list[StoredKpi]:
    """The newest value of each KPI, part and kind of period. `source`: the measurement with its policy."""
    return _values(connection, city, [f"{select_kpis(source, [_of(city)])} {_NEWEST_FIRST}"])


def newest_of_years(connection: Connection, source: str, city: str) -> list[StoredKpi]:
    """Of each figure the newest value of a calendar year, and of 365 days, that is a number."""
    where = [_of(city), '"valued" = 1', one_of("period", YEARLY)]
    return _values(connection, city, [f"{select_kpis(source, where)} {_NEWEST_FIRST}"])


def with_status(connection: Connection, source: str, city: str, status: str, kinds: Iterable[str]) -> list[StoredKpi]:
    """All values of a status and of these kinds of periods."""
    return _where(connection, source, city, "status", [f'"status" = {text(status)}', one_of("period", kinds)])


def updated_since(connection: Connection, source: str, city: str, time: int) -> list[StoredKpi]:
    """All values that were updated at that time (ms UTC) or later."""
    return _where(connection, source, city, "updated", [f'"updated" >= {time}'])


def _where(connection: Connection, source: str, city: str, field: str, where: Sequence[str]) -> list[StoredKpi]:
    """The values of a city that a condition on this field is true of."""
    query = f'SELECT "{field}" FROM {source} WHERE {" AND ".join([_of(city), *where])} GROUP BY "period"'  # noqa: S608
    times: dict[str, list[int]] = {}
    for piece in connection.query(query, _TIMES):
        times.setdefault(piece.tags["period"], []).extend(row[0] for row in piece.values)
    queries = [
        select_kpis(source, [_of(city), *where, one_of("period", [kind]), *between(min(of_kind), max(of_kind) + 1)])
        for kind, of_kind in times.items()
    ]
    return _values(connection, city, queries) if queries else []


def _of(city: str) -> str:
    return f'"city" = {text(city)}'


def _values(connection: Connection, city: str, queries: Sequence[str]) -> list[StoredKpi]:
    pieces = connection.query("; ".join(queries), KPIS)
    return [value for piece in pieces for value in kpi_values(city, piece)]
