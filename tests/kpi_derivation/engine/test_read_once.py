"""A start without a checkpoint reads each hour once, for the days and for the demand of the quarters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kpi_derivation.engine.runner import Engine
from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import HOUR
from tests.bench.engine import START, Made, city


class Noting(Made):
    """Notes of which time what was read."""

    def __init__(self, series: int, days: int) -> None:
        super().__init__(series, days)
        self.of_all, self.of_some = list[tuple[int, int]](), list[tuple[int, int]]()

    def partials(
        self, _city: str, level: str, start: int, end: int, _table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        if level == "hour":
            (self.of_all if series is None else self.of_some).append((start, end))
        return super().partials(_city, level, start, end, _table, series)


def test_demand_is_made_of_the_hours_that_were_read_for_the_days() -> None:
    model, table = city(2, 4)
    made = Noting(6, 40)
    engine = Engine(model, table, made)
    engine.restore((START, made.end - HOUR), made.end - HOUR)
    assert len(made.of_all) >= 2
    assert made.of_some == []
    state = engine.state()
    assert state is not None
    assert np.isfinite(engine._days.demand.peaks[min(engine._days.demand.peaks)].kw)
