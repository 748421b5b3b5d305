"""KPI values from enclosed windows alone: the engine in memory, without a store. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

import numpy as np

from kpi_derivation.catalogue import DERIVATIONS
from kpi_derivation.engine.runner import Engine
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials
from telemetry.periods import Period, calendar_period, local_date
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import HOUR


class _Memory:
    """The windows and hours that the engine reads back."""

    def __init__(self, windows: Partials) -> None:
        self._of: dict[str, Partials] = {"window": windows, "hour": Partials.empty()}

    def put_hours(self, hours: Partials) -> None:
        """Set the hours."""
        self._of["hour"] = hours

    def partials(
        self, city: str, level: Literal["window", "hour"], start: int, end: int, table: SeriesTable,  # noqa: ARG002
        series: IntArray | None = None,
    ) -> Iterator[Partials]:  # fmt: skip
        """Partials with start in [start, end)."""
        stored = self._of[level]
        keep = (stored.start >= start) & (stored.start < end)
        yield stored.take(keep if series is None else keep & np.isin(stored.series, series))


def periods_of(city: City, period: Period) -> list[Period]:
    """The periods of which a pack has values: the pack's own, and its months where it is longer than one."""
    found = [period]
    if period.kind in ("year", "quarter"):
        first = local_date(period.start, city.zone)
        for number in range(12 if period.kind == "year" else 3):
            month = first.month + number
            found.append(calendar_period("month", date(first.year, month, 1), city.zone))
    return found


def settled(city: City, period: Period, now: int) -> int:
    """The time as of which a pack's values are derived: shortly after they are final, or `now` before that."""
    return min(now, period.end + round(city.rules.final_after_h * HOUR) + HOUR)


def recomputed(
    city: City, windows: Partials, table: SeriesTable, periods: Sequence[Period], now: int
) -> list[KpiValue]:
    """The values of every KPI in these periods. `windows`: sorted by (series, start); `now`: ms UTC."""
    history = _Memory(windows)
    engine = Engine(city, table, history)
    history.put_hours(engine.absorb(windows).latest())
    engine.evaluate(now)
    return [value for period in periods for value in engine.derive(period, now, list(DERIVATIONS.values()))]
