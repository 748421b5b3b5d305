"""Which days of stations are judged against their neighbours again when readings of earlier days arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from kpi_derivation.engine.days import neighbours
from kpi_derivation.engine.days.expectations import STRIDE
from registry.city import City
from telemetry.windows import DAY, MINUTE
from tests.adapters.stores.samples import T0, partials

DAYS = 90
NOW = T0 + (DAYS + 2) * DAY
STATIONS = ("a1", "a2", "a3", "a4")


def city() -> City:
    stations: list[dict[str, Any]] = [
        {"id": name, "kind": "air_lowcost", "quantities": ["no2"], "interval_s": 3600.0} for name in STATIONS
    ]
    return City.model_validate(
        {"city": {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos"}, "device": stations}
    )


def value(station: int, day: int, hour: int) -> float:
    """A station that doubles on day 70, beside three that follow the weather."""
    weather = 30 + 8 * np.sin(day) + 4 * np.cos(hour / 4)
    return float(weather * (1 + 0.1 * station) * (2.5 if station == 3 and day >= 70 else 1))


def rows(days: range, stations: range = range(4)) -> list[tuple[str, int, float]]:
    return [(STATIONS[s], day * 1440 + h * 60, value(s, day, h)) for s in stations for day in days for h in range(24)]


class Run:
    """A city that counts how many days each judgement covers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ingest = Ingest(SqliteStore(Path(":memory:")))
        self.served = self.ingest.add_city(city(), MINUTE)
        self.judged: list[int] = []
        inner = neighbours.judge

        def counted(level: Any, others: Any, suspect: Any, start: int) -> Any:
            self.judged.append(level.shape[1] - start)
            return inner(level, others, suspect, start)

        monkeypatch.setattr(neighbours, "judge", counted)

    def add(self, readings: list[tuple[str, int, float]]) -> list[int]:
        """How many days were judged after these readings."""
        self.judged.clear()
        self.ingest.take("aba", partials(self.ingest.table, *readings))
        self.ingest.derive(NOW)
        return list(self.judged)

    def flags(self) -> list[list[float]]:
        engine = self.served._engine
        first = T0 // DAY + 719163
        found: list[list[float]] = engine._days.daily(list(STATIONS), "no2", first, first + DAYS)["suspect"].tolist()
        return found


def test_a_reading_that_no_day_is_judged_by_costs_no_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch)
    run.add(rows(range(DAYS)))
    before = run.flags()
    assert sum(map(sum, before)) > 0, "the doubled station is to be flagged"
    assert run.add([("a1", -300 * 1440 + 60 * h, 20.0) for h in range(17)]) == []  # 17 hours are not yet a day
    assert run.flags() == before
    assert run.add([("a1", 40 * 1440, value(0, 40, 0))]) == []  # the same reading once more
    changed = run.add([("a1", 80 * 1440 + 60, 25.0)])
    assert len(changed) == 1
    assert 10 <= changed[0] < 10 + 2 * STRIDE, "judged from the changed day on"


def test_flags_are_the_same_whatever_order_days_arrive_in(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, piecewise = Run(monkeypatch), Run(monkeypatch)
    whole.add(rows(range(DAYS)))
    for part in (range(60, DAYS), range(30), range(30, 60)):
        for stations in (range(2, 4), range(2)):
            piecewise.add(rows(part, stations))
    assert piecewise.flags() == whole.flags()
    assert sum(map(sum, whole.flags())) > 0
