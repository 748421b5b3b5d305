"""The rolling 24 hours, and devices that are read less than once an hour."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry.periods import Period
from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at, every

METERED = "LOCAL:E:METERED"


def meter(name: str, quantity: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "electricity_meter", "quantities": [quantity], "interval_s": 3600, **more}


def rolling(w: World, now: int) -> float | None:
    w.engine.evaluate(now)
    day = next(p for p in w.engine.rolling(now) if p.kind == "24h")
    return next(v.value for v in w.engine.derive(day, now) if v.code == METERED)


def test_a_register_counts_the_step_into_the_first_of_the_24_hours() -> None:
    w, now = World([meter("m", "energy_total")]), at("2020-01-03T11:30")
    w.take(every("2020-01-01", 60, HOUR, "m", "energy_total", (100.0 + 2.0 * i for i in range(60))))
    assert rolling(w, now) == pytest.approx(24 * 2.0)


def test_the_24_hours_of_other_quantities_have_no_steps() -> None:
    w, now = World([meter("m", "energy_delta")]), at("2020-01-03T11:30")
    w.take(every("2020-01-01", 60, HOUR, "m", "energy_delta", [3.0] * 60))
    assert rolling(w, now) == pytest.approx(24 * 3.0)


def test_a_late_reading_and_a_whole_one_give_the_same_24_hours() -> None:
    """Only the changed meter is added up again; the others stand."""
    now = at("2020-01-03T11:30")
    rows = [r for m in range(3) for r in every("2020-01-01", 60, HOUR, f"m{m}", "energy_delta", [1.0 + m] * 60)]
    late = Reading(at("2020-01-03T02:20"), "m1", "energy_delta", 7.0)
    whole, w = (World([meter(f"m{m}", "energy_delta") for m in range(3)]) for _ in range(2))
    whole.take([*rows, late])
    w.take(rows)
    assert rolling(w, now) == pytest.approx(24 * 6.0)
    w.take([late])
    assert rolling(w, now) == rolling(whole, now) == pytest.approx(24 * 6.0 + 7.0)


def test_a_reading_stands_for_as_long_as_its_device_says() -> None:
    """A register read once a day covers the day, one that is read every third hour with a hole covers the rest."""
    daily = World([meter("m", "energy_total", interval_s=86400)])
    daily.take(every("2020-01-01T06:00", 10, DAY, "m", "energy_total", (10.0 * i for i in range(1, 11))))
    assert daily.value(METERED, "2020-01-05").coverage == 1.0
    assert daily.value(METERED, "2020-01-05").value == 10.0
    third = World([meter("m", "energy_delta", interval_s=3 * 3600)])
    readings = every("2020-01-01", 8, 3 * HOUR, "m", "energy_delta", [1.0] * 8)
    third.take(readings[:2] + readings[3:])
    assert third.value(METERED, "2020-01-01").coverage == pytest.approx(7 / 8)


def test_readings_within_the_hour_cover_no_more_than_it() -> None:
    w = World([meter("m", "energy_delta", interval_s=1800)])
    w.take(every("2020-01-01", 10, 5 * MINUTE, "m", "energy_delta", [1.0] * 10))
    assert w.value(METERED, "2020-01-01").coverage == pytest.approx(1 / 24)


def test_the_24_hours_end_with_the_last_full_hour() -> None:
    w, now = World([meter("m", "energy_delta")]), at("2020-01-03T11:30")
    w.take(every("2020-01-01", 60, HOUR, "m", "energy_delta", range(60)))
    period = next(p for p in w.engine.rolling(now) if p.kind == "24h")
    assert period == Period("24h", "24h", at("2020-01-02T11:00"), at("2020-01-03T11:00"))
    assert rolling(w, now) == sum(range(35, 59))
