"""Readings of long ago, from a device that sends ever more of them, do not delay the values of today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.rejects import Rejects
from adapters.stores import open_store
from ingest.core import Ingest
from ingest.old_periods import A_SECOND, AT_ONCE, BURST, OldPeriods
from ingest.service import Service
from telemetry.kpi_value import KpiQuery
from telemetry.windows import DAY, MINUTE
from tests.ingest.samples import METERED, T0, NoNetwork, city, windows

NOW = T0 + 400 * DAY
LIVE = 400 * 24 * 60 - 120  # minutes after T0: two hours ago
OLD = [day * 24 * 60 for day in range(0, 360, 3)]  # a reading on each third day of a year


def served(folder: Path) -> Ingest:
    ingest = Ingest(open_store(f"sqlite:///{folder}/store.db"))
    ingest.add_city(city(), MINUTE)
    return ingest


def service(folder: Path, link: Any, clock: list[int]) -> Service:
    return Service(served(folder), link, Rejects.open(folder / "rejects.db"), lambda: clock[0])


def values(folder: Path) -> dict[tuple[str, str, str, str], float | None]:
    store = open_store(f"sqlite:///{folder}/store.db")
    return {(k.code, k.part, k.kind, k.period): k.value for k in (v.kpi for v in store.kpis(KpiQuery("aba")))}


def days(folder: Path) -> int:
    return sum(code == METERED and kind == "day" for code, _, kind, _ in values(folder))


def whole(folder: Path, clock: int = NOW) -> dict[tuple[str, str, str, str], float | None]:
    """What comes out where nothing waits."""
    link = NoNetwork([[windows(*OLD), windows(LIVE, device="m2")]])
    plain = service(folder, link, [clock])
    plain._receive(0)
    plain._store(plain._rounds.next())
    plain.ingest.derive(clock)
    return values(folder)


def test_live_values_come_first_and_the_newest_of_the_old_next(tmp_path: Path) -> None:
    link, clock = NoNetwork([[windows(*OLD), windows(LIVE, device="m2")]]), [NOW]
    made = service(tmp_path / "a", link, clock)
    made.step()
    first = values(tmp_path / "a")
    today = max(period for code, _, kind, period in first if code == METERED and kind == "day")
    assert today == "2025-04-05"
    assert first[METERED, "", "24h", "24h"] == 1.0
    assert made.ingest.waiting > AT_ONCE
    assert made.rejects.underived() == ["aba"]
    oldest = min(period for code, _, kind, period in first if kind == "day")
    assert oldest > "2024-09"  # newest first: the readings begin in March
    for _ in range(100):
        made.step()
    assert made.ingest.waiting == 0
    assert made.rejects.underived() == []
    assert values(tmp_path / "a") == whole(tmp_path / "b")


def test_what_waits_when_ingest_ends_is_derived_after_the_next_start(tmp_path: Path) -> None:
    link, clock = NoNetwork([[windows(*OLD), windows(LIVE, device="m2")]]), [NOW]
    service(tmp_path / "a", link, clock).step()
    again = service(tmp_path / "a", NoNetwork([]), clock)
    left = iter([False] * 100)
    again.run(lambda: next(left, True))
    assert values(tmp_path / "a") == whole(tmp_path / "b")


def test_beyond_the_burst_so_many_a_second_are_derived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.old_periods.BURST", 10.0)
    batches = [[windows(*OLD, kwh=float(n))] for n in range(1, 30)]
    clock = [NOW]
    made = service(tmp_path, NoNetwork(batches), clock)
    made.ingest.cities["aba"]._old_periods = OldPeriods(left=10.0)
    for _ in range(29):
        clock[0] += 1000
        before = made.ingest.waiting
        made.step()
        assert before == 0 or made.ingest.cities["aba"]._engine.old <= 10 + A_SECOND
    assert made.ingest.waiting > 50


def test_the_budget_of_a_city() -> None:
    budget = OldPeriods()
    assert budget.allowed(NOW) == AT_ONCE
    budget.spend(int(BURST))
    assert budget.allowed(NOW) == 0
    assert budget.allowed(NOW - DAY) == 0  # a clock that is set back gives nothing
    assert budget.allowed(NOW - DAY + 1500) == 15
    assert budget.allowed(NOW + 5 * 365 * DAY) == AT_ONCE
    assert budget.left == BURST
