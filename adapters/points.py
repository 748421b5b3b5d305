"""Rows for dashboards: what Grafana cannot query from windows and KPI values alone, or only slowly.

A point is measurement + tags + time, and a write replaces its fields. Stores that no dashboard reads have no `Points`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from telemetry.kpi_value import KpiValue


class Point(NamedTuple):
    """One row: `time` in ms UTC; a field that is None is left out, so that its old value stays."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | int | str | None]
    time: int


def beside_value(k: KpiValue, fields: dict[str, float | int | str | None]) -> Point:
    """Fields beside those of a KPI value, in its row."""
    return Point("kpi", {"city": k.city, "code": k.code, "part": k.part, "period": k.kind}, fields, k.time)


class Newest(NamedTuple):
    """The newest reading of a series: its time in ms UTC, its value, and how many readings its hour has."""

    device: str
    quantity: str
    time: int
    value: float
    n: int


class Points(Protocol):
    """Where points go."""

    def put(self, points: Iterable[Point]) -> None:
        """Upsert points. Raises Unavailable."""

    def newest(self, city: str) -> list[Newest]:
        """The newest reading of every series of a city, asked at a start.

        Each device with a row has one more, with quantity '' and time 0, whose value is the time (ms UTC) since which a
        charger has been in its state; NaN for other devices.
        """
