"""Peak demand and coincidence: the recorded half-hours of London, registers by the minute, power, gaps."""

from __future__ import annotations

import random

import pytest

from telemetry.windows import MINUTE
from tests.kpi_golden.world import Reading, World, at, every
from tests.replay import recorded

PEAK, FACTOR = "LOCAL:E:PEAK", "LOCAL:E:COINCIDENCE"


def meters(n: int, *quantities: str) -> list[dict[str, object]]:
    return [{"id": f"m{i}", "kind": "electricity_meter", "quantities": list(quantities)} for i in range(n)]


def test_the_peak_half_hour_of_london() -> None:
    rows = recorded.rows(recorded.METERS, lambda r: "2013-01-17" <= r[0][:10] <= "2013-01-19")[1:]
    names = sorted({r[1] for r in rows})
    w = World([{"id": n, "kind": "electricity_meter", "quantities": ["energy_delta"]} for n in names])
    w.take(Reading(at(t.removesuffix("Z")), d, q, float(v)) for t, d, q, v, _ in rows)
    peak = w.value(PEAK, "2013-01")
    assert peak.value == pytest.approx(52.256, abs=5e-4)
    assert "at 2013-01-18T18:00:00Z, 49 of" in peak.notes
    highest: dict[str, float] = {}
    for _, d, _, v, _ in rows:
        highest[d] = max(highest.get(d, 0.0), 2 * float(v))
    assert w.value(FACTOR, "2013-01").value == pytest.approx((peak.value or 0.0) / sum(highest.values()), rel=1e-9)


def test_two_meters_that_peak_apart_have_half_the_coincidence() -> None:
    w = World(meters(2, "power"))
    for name, hour in (("m0", 3), ("m1", 15)):
        w.take(every("2020-01-01", 1440, MINUTE, name, "power", [4000.0 * (i // 60 == hour) for i in range(1440)]))
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(4.0)
    assert w.value(FACTOR, "2020-01-01").value == pytest.approx(0.5)


def test_a_register_counts_in_the_quarter_of_the_later_reading_and_a_gap_makes_no_peak() -> None:
    w = World(meters(1, "energy_total"))
    steps = [0.01] * 720 + [0.03] * 15 + [0.01] * 705
    readings = every("2020-01-01", 1440, MINUTE, "m0", "energy_total", (100 + sum(steps[: i + 1]) for i in range(1440)))
    hole = at("2020-01-01T20:00"), at("2020-01-01T22:00")
    w.take(r for r in readings if not hole[0] <= r.time < hole[1])
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(0.03 * 60, rel=1e-9)
    assert "at 2020-01-01T12:00:00Z" in w.value(PEAK, "2020-01-01").notes
    assert w.value("LOCAL:E:METERED", "2020-01-01").value == pytest.approx(sum(steps[1:]), rel=1e-9)  # none lost


def test_a_reset_register_starts_again_and_a_rollover_goes_on() -> None:
    w = World(meters(1, "energy_total"))
    w.take(every("2020-01-01", 6, MINUTE, "m0", "energy_total", [10, 11, 12, 0.5, 1.5, 2.5]))
    assert w.value("LOCAL:E:METERED", "2020-01-01").value == pytest.approx(2 + 0.5 + 2)


@pytest.mark.parametrize("seed", range(4))
def test_order_repetition_and_restart_change_no_bit_of_the_demand(seed: int) -> None:
    chance = random.Random(seed)
    rows = []
    for i in range(3):
        total = 5.0
        for m in range(0, 2880, chance.choice([1, 5, 15])):
            total += chance.random()
            rows.append(Reading(at("2020-05-05") + m * MINUTE, f"m{i}", "energy_total", total))
    plain, odd = World(meters(3, "energy_total")), World(meters(3, "energy_total"))
    plain.take(rows)
    mixed = chance.sample(rows, len(rows)) + rows[:50]
    for k in range(0, len(mixed), 900):
        odd.take(mixed[k : k + 900]) if k + 900 < len(mixed) else odd.take([r for r in mixed[k:] if r not in mixed[:k]])
        odd.engine.evaluate(at("2021-01-01"))
        if k == 900:
            odd.restart()
    for code in (PEAK, FACTOR):
        for period in ("2020-05-05", "2020-05-06", "2020-05"):
            assert odd.value(code, period) == plain.value(code, period)
    total = plain.value(FACTOR, "2020-05").value or 0.0
    assert 1 / 3 - 1e-9 <= total <= 1.0


def test_hourly_registers_tell_no_quarters() -> None:
    w = World(meters(1, "energy_total"))
    w.take(every("2020-01-01", 24, 60 * MINUTE, "m0", "energy_total", range(1, 25)))
    assert w.value(PEAK, "2020-01-01").value is None
    assert w.value("LOCAL:E:METERED", "2020-01-01").value == 23.0
