"""Peak demand and coincidence: the recorded half-hours of London, registers by the minute, power, gaps."""

from __future__ import annotations

import random

import numpy as np
import pytest

from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at, every
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
    assert "49 of 49 meters, mean power at 30 min; peak at 2013-01-18T18:00:00Z of 49 meters" in peak.notes
    assert peak.method == "peak-demand/3 at 30 min"
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


def test_a_register_counts_in_the_time_between_its_readings_and_a_gap_makes_no_peak() -> None:
    w = World(meters(1, "energy_total"))
    steps = [0.01] * 721 + [0.03] * 15 + [0.01] * 704  # the step of 12:01 is of the minute from 12:00 on
    readings = every("2020-01-01", 1440, MINUTE, "m0", "energy_total", (100 + sum(steps[: i + 1]) for i in range(1440)))
    hole = at("2020-01-01T20:00"), at("2020-01-01T22:00")
    w.take(r for r in readings if not hole[0] <= r.time < hole[1])
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(0.03 * 60, rel=1e-9)
    assert "at 2020-01-01T12:00:00Z" in w.value(PEAK, "2020-01-01").notes
    total = w.value("LOCAL:E:METERED", "2020-01-01")
    assert total.value == pytest.approx(sum(steps[1:]), rel=1e-9)  # none lost
    assert f"of these {120 * 0.01 + 0.01:,.0f} kWh lie in gaps" in total.notes
    assert total.coverage == pytest.approx(22 / 24)
    assert "gaps" not in w.value("LOCAL:E:METERED", "2020-01-02").notes


@pytest.mark.parametrize("minutes", [1, 4, 7, 10, 15])
def test_a_constant_load_has_its_power_as_peak_however_often_the_register_is_read(minutes: int) -> None:
    """By the quarter in which they were read, two steps of ten minutes would make a peak of a third more."""
    w = World(meters(1, "energy_total"))
    times = range(0, 1440, minutes)
    w.take(Reading(at("2020-01-01") + m * MINUTE, "m0", "energy_total", 100 + 4.0 * m / 60) for m in times)
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(4.0)


def test_a_register_that_is_read_more_often_from_now_on_doubles_no_quarter() -> None:
    w = World(meters(1, "energy_total"))
    times = [*range(0, 720 * 60, 900), *range(720 * 60, 1440 * 60, 30)]
    w.take(Reading(at("2020-01-01") + s * 1000, "m0", "energy_total", 100 + 4.0 * s / 3600) for s in times)
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(4.0)


def test_a_step_over_a_boundary_is_shared_by_time_also_where_its_end_comes_later() -> None:
    """3 kWh from 11:50 to 12:05: 2 kWh in ten minutes of the quarter before noon, 1 kWh in five of the one after."""
    rows = [Reading(at(f"2020-01-01T{t}"), "m0", "energy_total", v) for t, v in (("11:50", 5.0), ("12:05", 8.0))]
    for pieces in ([rows], [rows[:1], rows[1:]], [rows[1:], rows[:1]]):
        w = World(meters(1, "energy_total"))
        for piece in pieces:
            w.take(piece)
            w.engine.evaluate(at("2021-01-01"))
        peak = w.value(PEAK, "2020-01-01")
        assert peak.value == pytest.approx(8.0)
        assert "at 2020-01-01T11:45:00Z" in peak.notes


def test_a_step_over_midnight_counts_in_both_days() -> None:
    rows = [("2020-01-01T23:50", 5.0), ("2020-01-02T00:05", 8.0)]
    w = World(meters(1, "energy_total"))
    w.take(Reading(at(t), "m0", "energy_total", v) for t, v in rows)
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(8.0)
    assert w.value(PEAK, "2020-01-02").value == pytest.approx(4.0)


def test_a_reset_register_starts_again_and_a_rollover_goes_on() -> None:
    w = World(meters(1, "energy_total"))
    w.take(every("2020-01-01", 6, MINUTE, "m0", "energy_total", [10, 11, 12, 0.5, 1.5, 2.5]))
    assert w.value("LOCAL:E:METERED", "2020-01-01").value == pytest.approx(2 + 0.5 + 2)


@pytest.mark.parametrize("quantity", ["energy_total", "energy_delta"])
@pytest.mark.parametrize("seed", range(4))
def test_order_repetition_and_restart_change_no_bit_of_the_demand(seed: int, quantity: str) -> None:
    chance = random.Random(seed)
    rows = []
    for i in range(3):
        total = 5.0
        steps = [1, 5, 15] if quantity == "energy_total" else [5, 15, 30, 60]
        for m in range(0, 2880, chance.choice(steps)):
            total = total + chance.random() if quantity == "energy_total" else chance.random()
            rows.append(Reading(at("2020-05-05") + m * MINUTE, f"m{i}", quantity, total))
    plain, odd = World(meters(3, quantity)), World(meters(3, quantity))
    plain.take(rows)
    mixed = chance.sample(rows, len(rows)) + rows[:50]
    half = len(rows) // 2
    for k in range(0, len(mixed), half):
        odd.take([r for r in mixed[k : k + half] if r not in mixed[:k]])
        odd.engine.evaluate(at("2021-01-01"))
        if k == half:
            odd.restart()
    for code in (PEAK, FACTOR):
        for period in ("2020-05-05", "2020-05-06", "2020-05"):
            assert odd.value(code, period) == plain.value(code, period)
    total = plain.value(FACTOR, "2020-05").value or 0.0
    assert 1 / 3 - 1e-9 <= total <= 1.0


def test_an_hour_that_fills_up_late_has_the_peak_of_one_that_came_whole() -> None:
    """Its first two energies give the quarters by themselves, those of more are stored."""
    energies = [(0, 0.1), (15, 0.4), (30, 0.2), (45, 0.3)]
    readings = [Reading(at("2020-01-01") + m * MINUTE, "m0", "energy_delta", kwh) for m, kwh in energies]
    w = World(meters(1, "energy_delta"))
    w.take([readings[0], readings[2]])
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(0.4)  # half-hours, as far as one can see
    w.take([readings[3], readings[1]])
    assert w.value(PEAK, "2020-01-01").value == pytest.approx(1.6)
    assert "at 2020-01-01T00:15:00Z" in w.value(PEAK, "2020-01-01").notes


def test_two_energies_in_one_quarter_add_up_and_generation_is_no_demand() -> None:
    w = World([*meters(1, "energy_delta"), {**meters(2, "energy_delta")[1], "role": "generation"}])
    w.take([Reading(at("2020-01-01") + s * 1000, "m0", "energy_delta", 0.25) for s in (0, 300)])
    w.take(every("2020-01-01", 2, 15 * MINUTE, "m1", "energy_delta", [5.0, 5.0]))
    peak = w.value(PEAK, "2020-01-01")
    assert peak.value == pytest.approx(2.0)
    assert "1 of 1 meters" in peak.notes


def test_a_half_hour_that_begins_before_midnight_reaches_into_the_next_day_even_when_it_comes_late() -> None:
    day = [Reading(at("2020-01-01T23:45"), "m0", "energy_delta", 3.0)]
    others = [
        Reading(at(f"2020-01-0{d}") + m * MINUTE, "m0", "energy_delta", 0.5)
        for d, first in ((1, 15), (2, 15))
        for m in range(first, 1400, 30)
    ]
    late, whole = World(meters(1, "energy_delta")), World(meters(1, "energy_delta"))
    late.take(others)
    late.engine.evaluate(at("2021-01-01"))
    late.take(day)
    whole.take(others + day)
    for period in ("2020-01-01", "2020-01-02"):
        assert late.value(PEAK, period) == whole.value(PEAK, period)
    assert late.value(PEAK, "2020-01-02").value == pytest.approx(6.0)


def test_a_refused_reading_between_two_does_not_part_them() -> None:
    """Whether it comes before the others or after them."""
    rows = every("2020-01-01", 3, 10 * MINUTE, "m0", "energy_total", [5.0, 6.0, 7.0])
    for first in (True, False):
        w = World(meters(1, "energy_total"))
        empty = fold(Readings.of([0], [at("2020-01-01T00:15")], [0.0], flag=[1]), MINUTE, np.array([np.inf]))
        for step in ("refused", "rows") if first else ("rows", "refused"):
            if step == "rows":
                w.take(rows)
            else:
                w.table.id_of(Series(w.city.id, "m0", "energy_total"))
                w.memory.put("window", empty)
                w.memory.put("hour", w.engine.absorb(empty))
        assert w.value(PEAK, "2020-01-01").value == pytest.approx(6.0)
        assert "gaps" not in w.value("LOCAL:E:METERED", "2020-01-01").notes


def test_hourly_registers_give_no_quarters() -> None:
    w = World(meters(1, "energy_total"))
    w.take(every("2020-01-01", 24, 60 * MINUTE, "m0", "energy_total", range(1, 25)))
    assert w.value(PEAK, "2020-01-01").value is None
    assert w.value("LOCAL:E:METERED", "2020-01-01").value == 23.0


def test_the_interval_is_part_of_the_method_and_of_the_notes() -> None:
    """The same homes of London give another coincidence from hours than from half-hours; both say what they rest on."""
    rows = recorded.rows(recorded.METERS, lambda r: "2013-01-17" <= r[0][:10] <= "2013-01-19")[1:]
    names = sorted({r[1] for r in rows})
    halves = [Reading(at(t.removesuffix("Z")), d, q, float(v)) for t, d, q, v, _ in rows]
    whole: dict[tuple[str, int], list[float]] = {}
    for r in halves:
        whole.setdefault((r.device, r.time // (60 * MINUTE)), []).append(r.value)
    hours = [Reading(h * 60 * MINUTE, d, "energy_delta", sum(v)) for (d, h), v in whole.items() if len(v) == 2]
    found = []
    for readings in (halves, hours):
        w = World([{"id": n, "kind": "electricity_meter", "quantities": ["energy_delta"]} for n in names])
        w.take(sorted(readings, key=lambda r: (r.device, r.time)))
        found.append(w.value(FACTOR, "2013-01"))
    assert [v.method for v in found] == ["coincidence/3 at 30 min", "coincidence/3 at 60 min"]
    assert [v.notes.split(";")[0] for v in found] == [f"49 of 49 meters, mean power at {m} min" for m in (30, 60)]
    assert found[0].value != pytest.approx(found[1].value, rel=0.01)


def test_meters_of_different_intervals_are_named_with_both() -> None:
    w = World([*meters(1, "energy_delta"), {**meters(2, "power")[1]}])
    w.take(every("2020-01-01", 24, 60 * MINUTE, "m0", "energy_delta", [1.0] * 24))
    w.take(every("2020-01-01", 1440, MINUTE, "m1", "power", [500.0] * 1440))
    assert w.value(PEAK, "2020-01-01").method == "peak-demand/3 at 15 to 60 min"
