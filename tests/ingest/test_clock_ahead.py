"""An ingest clock that was ahead for a while leaves no values of times that have not come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.city import City
from telemetry.kpi_value import KpiQuery
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE
from tests.ingest.samples import METERED, T0, windows
from tests.ingest.test_service import Bench

NOW = 1_795_168_800_000  # 2026-11-20T10:00Z


def test_values_of_times_that_have_not_come_are_withdrawn(tmp_path: Path) -> None:
    devices = [{"id": "m", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600}]
    city = {"id": "town", "name": "Town", "country": "DE", "timezone": "UTC", "population": 10}
    ingest = Ingest(SqliteStore(tmp_path / "s.db"))
    ingest.add_city(City.model_validate({"city": city, "device": devices}), MINUTE)
    series = ingest.table.id_of(Series("town", "m", "energy_delta"))
    readings = Readings.of([series] * 480, [NOW - i * HOUR for i in range(1, 481)], [5.0] * 480)
    ingest.take("town", fold(readings, MINUTE, np.full(480, np.nan)))
    ingest.derive(NOW + 40 * DAY)  # the clock is 40 days ahead

    def ahead() -> list[str]:
        """Values of later times, and final ones of periods that are not over."""
        rows = [v.kpi for v in ingest.store.kpis(KpiQuery("town"))]
        late = [k for k in rows if k.value is not None and k.end > NOW + 2 * HOUR and k.kind in ("24h", "365d")]
        begun = [k for k in rows if k.value is not None and k.start > NOW]
        early = [k for k in rows if k.status == "final" and k.end > NOW]
        return [f"{k.code} {k.period}" for k in late + begun + early]

    assert ahead()
    ingest.derive(NOW + HOUR)
    assert ahead() == []
    found = {(v.kpi.code, v.kpi.period): v.kpi for v in ingest.store.kpis(KpiQuery("town"))}
    assert found["LOCAL:E:METERED", "2026-11"].status == "provisional"


def test_a_gateway_whose_clock_is_ahead_makes_ingest_read_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows of all others are older by hours than its own, and stay in memory all the same."""
    devices = [{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for n in range(3)]
    city = {"id": "town", "name": "Town", "country": "DE", "timezone": "UTC", "population": 10}
    store = SqliteStore(tmp_path / "s.db")
    ingest, read = Ingest(store), list[tuple[int, int]]()
    partials = store.partials

    def give(now: int, t: int, devices: range) -> None:
        ids = [ingest.table.id_of(Series("town", f"m{n}", "energy_delta")) for n in devices]
        readings = Readings.of(ids, [t] * len(ids), [1.0] * len(ids))
        ingest.take("town", fold(readings, MINUTE, np.full(len(ids), np.nan)))
        ingest.derive(now)

    def noted(city: str, level: Any, start: int, end: int, *rest: Any) -> Any:
        read.append((start, end))
        return partials(city, level, start, end, *rest)

    give(NOW - DAY, NOW - DAY, range(3))
    ingest = Ingest(store)  # of a store that has something, so that it does not know what it is to read
    ingest.add_city(City.model_validate({"city": city, "device": devices}), MINUTE)
    give(NOW, NOW, range(3))
    give(NOW, NOW + 8 * HOUR, range(1))
    monkeypatch.setattr(store, "partials", noted)
    for minute in range(1, 150):
        give(NOW + minute * MINUTE, NOW + minute * MINUTE, range(3))
    assert read == []
    [hour] = partials("town", "hour", NOW, NOW + HOUR, ingest.table)
    assert sorted(hour.n.tolist())[-3:] == [60] * 3  # the others are of quarters


@pytest.mark.parametrize("restarted", [False, True])
def test_published_values_are_those_of_today_after_the_clock_was_ahead(restarted: bool, tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1)])
    bench.now = start = T0 + 10 * MINUTE
    bench.steps()
    bench.now = start + 40 * DAY
    bench.steps()
    bench.now = start + 2 * HOUR
    bench.steps(2)
    if restarted:
        bench.store.close()
        bench.rejects.db.close()
        bench = Bench(tmp_path)
        bench.now = start + 2 * HOUR
        over = iter([False, True])
        bench.service.run(lambda: next(over))
    bench.now += 1
    bench.link.batches = [[windows(2, 3, device="m2")]]
    bench.link.published.clear()
    bench.steps()
    published = {topic: json.loads(payload) for topic, payload, retain in bench.link.published if retain}
    values = {kind: (v["period"], v["value"]) for kind, v in published[f"cv/1/aba/kpi/{METERED}/-"].items()}
    assert values.pop("365d", ("365d", None)) == ("365d", None)
    assert values == {
        "day": ("2024-03-01", 4.0), "month": ("2024-03", 4.0), "quarter": ("2024-Q1", 4.0), "year": ("2024", 4.0),
        "24h": ("24h", 4.0),
    }  # fmt: skip
