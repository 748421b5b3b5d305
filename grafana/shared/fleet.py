"""Queries about devices that several dashboards show: rows that ingest writes, so that they cost the same for any age."""

from __future__ import annotations

from grafana.influx import CITY, Query


def state_now(*fields: str) -> Query:
    """Counts of the city's newest minute; nothing where ingest has written none for ten minutes."""
    columns = ", ".join(f'last("{field}") AS "{field}"' for field in fields)
    return Query(f'SELECT {columns} FROM "state" WHERE {CITY} AND time > now() - 10m AND time <= now()', "$col")
