"""Three days of backlog at once: what it changes is recalculated, with a new revision, and live data is not held up."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from gateway.core import Core, Incoming, Source
from ingest.core import Ingest
from kpi_derivation.catalogue import reads
from registry.config import load_city
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.series import SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.chaos.world import CITY

T0 = 1_709_254_800_000  # 2024-03-01T01:00:00Z: midnight in Oslo and an hour
SOURCE = Source("cv/1/{city}/{device}/data", "senml")


class Line:
    """Gateway core and ingest core, joined directly."""

    def __init__(self, folder: Path) -> None:
        self.core = Core(Buffer(folder / "gateway.db", MINUTE), [SOURCE])
        self.store = SqliteStore(folder / "store.db")
        self.ingest = Ingest(self.store)
        self.ingest.add_city(load_city(CITY), MINUTE)

    def send(self, device: str, quantity: str, values: dict[int, float], now: int) -> None:
        for start in range(0, len(values), 500):
            part = list(values.items())[start : start + 500]
            body = ",".join(f'{{"n":"{quantity}","bt":{t / 1000},"v":{v}}}' for t, v in part)
            self.core.accept([Incoming(f"cv/1/chaos/{device}/data", f"[{body}]".encode())], now)

    def flush(self, now: int, limit: int = 100_000) -> list[StoredKpi]:
        """One flight of windows to the store, newest first; the KPI values that changed."""
        dirty, partials = self.core.pending(limit)
        table, own = self.core.buffer.table, self.ingest.table
        ids = [own.id_of(table[i]) for i in range(len(table))]
        self.ingest.take("chaos", replace(partials, series=np.array(ids)[partials.series]))
        self.core.confirm(dirty)
        return self.ingest.derive(now)

    def kpis(self) -> dict[tuple[Any, ...], StoredKpi]:
        return {v.kpi.identity: v for v in self.store.kpis(KpiQuery("chaos", ("day", "month", "quarter", "year")))}


def minutes(first: int, count: int, value: float) -> dict[int, float]:
    return {first + n * MINUTE: value for n in range(count)}


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_a_backlog_revises_exactly_the_values_it_touches_and_keeps_what_they_were(line: Line) -> None:
    later = T0 + 40 * DAY  # February and the first days of March are final by then
    for day in range(4):
        line.send("air-1", "no2", minutes(T0 + day * DAY, 1000, 10.0), T0 + 5 * DAY)
    line.send("meter-1", "energy_total", {T0 + h * HOUR: 100.0 + h for h in range(90)}, T0 + 5 * DAY)
    line.flush(T0 + 5 * DAY)
    line.flush(later)
    before = line.kpis()
    final = {i for i, v in before.items() if v.kpi.status == "final" and v.kpi.value is not None}
    assert len(final) >= 8

    backlog = {t: 20.0 for d in (1, 2, 3) for t in minutes(T0 + d * DAY + 20 * HOUR, 120, 0.0)}
    now = later + 2 * HOUR
    line.send("air-1", "no2", backlog, now)
    line.flush(now)
    after = line.kpis()
    revised = {i for i in final if after[i].kpi.revision == before[i].kpi.revision + 1}
    assert {i[3] for i in revised} <= {"day", "month", "quarter"}
    assert all("no2" in reads(i[1]).quantities and i[2] in ("no2", "") for i in revised)
    assert revised == {i for i in final if after[i].kpi.value != before[i].kpi.value}
    assert len([i for i in revised if i[1] == "EN:EN:AQ:1C" and i[3] == "day"]) == 3
    for i in revised:
        assert after[i].previous == before[i].kpi.value
        assert after[i].changed == now
    for i in final - revised:
        assert after[i].kpi == before[i].kpi


def test_a_backlog_that_comes_in_pieces_is_one_revision(line: Line) -> None:
    later = T0 + 40 * DAY
    line.send("air-1", "no2", minutes(T0, 1000, 10.0), T0 + DAY)
    line.flush(T0 + DAY)
    line.flush(later)
    first = {i: v.kpi.value for i, v in line.kpis().items() if i[3] == "day" and i[1] == "EN:EN:AQ:1C"}
    for piece in range(4):
        now = later + 2 * HOUR + piece * MINUTE
        line.send("air-1", "no2", minutes(T0 + (17 + piece) * HOUR, 60, 30.0), now)
        line.flush(now)
    for i, v in line.kpis().items():
        if i in first and v.kpi.value is not None:
            assert (v.kpi.revision, v.previous) == (2, first[i])


def test_live_windows_overtake_three_days_of_backlog(line: Line) -> None:
    """40 series of 3 days wait; a live reading is in the store with the next flight, its KPIs derived."""
    now = T0 + 3 * DAY
    for device in ("air-1", "air-2"):
        for quantity in ("no2", "pm2_5", "pm10"):
            line.send(device, quantity, minutes(T0, 3 * 1440 - 1, 10.0), now)
    assert line.core.buffer.backlog()[0] > 25_000
    flights = 0
    worst = 0.0
    while line.core.buffer.backlog()[0] > 100:
        line.send("meter-1", "energy_total", {now + flights * 1000: 100.0 + flights}, now + flights * 1000)
        began = time.process_time()
        line.flush(now + flights * 1000, limit=20_000)
        worst = max(worst, time.process_time() - began)
        table = SeriesTable()
        live = [p for p in line.store.partials("chaos", "window", now, now + DAY, table) if len(p)]
        assert sum(int(p.n.sum()) for p in live) == flights + 1  # the newest reading went first
        flights += 1
    assert flights >= 2
    assert worst < 5.0  # processor time: what a flight of 20,000 windows costs, however busy the machine is
