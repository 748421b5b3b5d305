"""Rows for dashboards: what Grafana cannot query from windows and KPI values alone, or only slowly.

A point is measurement + tags + time, and a write replaces its fields. Stores that no dashboard reads have no `Points`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from telemetry.kpi_value import KpiValue, StoredKpi


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


class Judged(NamedTuple):
    """Beside which KPI values the rows of targets are written: those that were updated before `to` (ms UTC).

    `by`: what names the targets and the rules that they were made by.
    """

    by: str
    to: int

    def point(self, city: str) -> Point:
        """The row that notes it, to be put behind those that it is about."""
        return Point("registry", {"city": city}, {"judged_by": self.by, "judged_to": self.to}, 0)


class Points(Protocol):
    """Where points go."""

    def put(self, points: Iterable[Point]) -> None:
        """Upsert points. Raises Unavailable."""

    def newest(self, city: str) -> list[Newest]:
        """The newest reading of every series of a city, asked at a start.

        Each device with a row has one more, with quantity '' and time 0, whose value is the time (ms UTC) since which a
        charger has been in its state; NaN for other devices.
        """

    def judged(self, city: str) -> Judged | None:
        """What was noted last of the city; None where nothing is known."""

    def updated_since(self, city: str, time: int) -> list[StoredKpi]:
        """KPI values of the city with `updated` >= time (ms UTC)."""

    def newest_of_years(self, city: str) -> list[StoredKpi]:
        """The newest KPI values of calendar years and of 365 days that are numbers, of each KPI and part."""
