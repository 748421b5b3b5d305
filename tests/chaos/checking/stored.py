"""What the store and the gateway's file hold, row by row, asked in SQL and InfluxQL of this file's own.

The product's readers would not do: of a window that stands there twice (in InfluxDB: under two sets of tags) they give
one, and what misplaces a value on its way in may put it right on its way out.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from adapters.sqlite.blocks import readable
from tests.chaos.world import World

_SUMS = ("n", "sum", "min", "max", "first", "last")
_GATEWAY = ("other", "gw")  # the gateway reports on itself in each city; other devices are in one
_CALENDAR = ("day", "month", "quarter", "year")


class Row(NamedTuple):
    """A window or an hour of a series."""

    device: str
    quantity: str
    start: int
    values: tuple[float, ...]  # n, sum, min, max, first, last


class Kpi(NamedTuple):
    """A value of a KPI; `kind`: of its period. `reason`: why there is none, "future" where it was taken back."""

    code: str
    part: str
    kind: str
    period: str
    value: float | None
    reason: str = ""


def _ask(path: Path, sql: str) -> list[Any]:
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30))) as db:
        return db.execute(sql).fetchall()


def partials(world: World, level: str) -> list[Row]:
    """All rows of a level, `window` or `hour`."""
    names = ", ".join(f'"{name}"' for name in _SUMS)
    if world.influx:
        found = world.influx.query(f'SELECT {names}, "special" FROM "{level}" GROUP BY *', "chaos")
        mine = [r for r in found if (r["city"], r["device"]) != _GATEWAY]
        return [Row(r["device"], r["quantity"], r["time"], _values(r)) for r in mine]
    sql = f'SELECT s.device, s.quantity, start, {names} FROM "{level}" JOIN series s ON s.id = series'
    sql += f" WHERE (s.city, s.device) <> {_GATEWAY}"
    return [Row(row[0], row[1], row[2], row[3:]) for row in _ask(world.folder / "store.db", sql)]


def _values(row: dict[str, Any]) -> tuple[float, ...]:
    """The values of a row of InfluxDB, in which `special` may say that the first is another one of them."""
    same = ("first", "last", "min", "max")[row["special"] >> 57 & 3]
    return tuple(row[same if name == "first" else name] for name in _SUMS)


def kpis(world: World, city: str = "chaos") -> list[Kpi]:
    """A city's KPI values of all calendar periods; those of the last 24 hours or 365 days pass with the time."""
    if world.influx:
        asked = (
            'SELECT "value", "valued", "label", "reason" FROM "forever"."kpi" WHERE "city" = ' + f"'{city}' GROUP BY *"
        )
        found = world.influx.query(asked, "chaos")
        return [_kpi(r) for r in found if r["period"] in _CALENDAR]
    sql = "SELECT code, part, kind, period, value, reason FROM kpi WHERE city = '" + city + "'"
    return [Kpi(*row) for row in _ask(world.folder / "store.db", sql) if row[2] in _CALENDAR]


def readings(world: World) -> list[tuple[str, str, int, float]]:
    """Device, quantity, time and value of every reading in the gateway's file that it takes for right."""
    sql = (
        "SELECT s.device, s.quantity, r.t, r.value FROM every_reading r JOIN buffer_series s ON s.id = r.series"
        " WHERE r.flag = 0 AND s.quantity NOT GLOB 'gw_*'"
    )
    return _ask(world.buffer, sql)


def ledger(world: World) -> dict[str, tuple[int, int, int, int]]:
    """Per device how many records were sent, received, refused and are missing, as the gateway's ledger has it."""
    sql = "SELECT device, sum(sent), sum(received), sum(refused), sum(missing) FROM ledger GROUP BY device"
    return {row[0]: row[1:] for row in _ask(world.buffer, sql)}


def set_aside(world: World) -> int:
    """How many rows ingest keeps because the store can never hold them; without the dashboards' rows at time 0."""
    query = "SELECT count(*) FROM reject WHERE topic = 'store'"
    return int(_ask(world.folder / "rejects.db", query)[0][0])


def _kpi(row: dict[str, Any]) -> Kpi:
    value = row["value"] if row["valued"] else None
    return Kpi(row["code"], row["part"].removeprefix("-"), row["period"], row["label"], value, row["reason"] or "")
