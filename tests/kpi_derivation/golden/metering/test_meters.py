"""What meters count: power, single readings, connections that cannot carry it, customers without a meter."""

from __future__ import annotations

import csv
import gzip
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.windows import HOUR, MINUTE
from tests.kpi_derivation.golden.shared import need
from tests.kpi_derivation.golden.world import Reading, World, at, every
from tests.replay import recorded

METERED, PER_CAPITA = "LOCAL:E:METERED", "EN:E:E:2C"


def meter(name: str, *quantities: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "electricity_meter", "quantities": list(quantities), **more}


def test_the_recorded_household_by_its_power() -> None:
    """Two days of one-minute means of kW, whose sum over 60 is the energy in the expected file."""
    with gzip.open(next(need("uci_household").glob("*.gz")), "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    readings = [Reading(at(r["DateTime"]), "home", "power", 1000 * float(r["Global_active_power"])) for r in rows]
    w = World([meter("home", "power", interval_s=60)])
    w.take(readings)
    expected = recorded.expected("uci_household")
    assert w.value(METERED, "2007-02").value == pytest.approx(expected["energy_total"], abs=5e-5)
    assert w.value(METERED, "2007-02-01").value == pytest.approx(expected["energy_2007-02-01"], abs=5e-5)
    assert w.value(METERED, "2007-02-02").coverage == 1.0


def test_power_counts_only_where_a_meter_sends_nothing_better_and_only_valid_hours() -> None:
    w = World([meter("both", "power", "energy_delta", interval_s=3600), meter("p", "power", interval_s=600)])
    w.take(every("2020-01-01", 24, HOUR, "both", "energy_delta", [1.0] * 24))
    w.take(every("2020-01-01", 24, HOUR, "both", "power", [9000.0] * 24))
    w.take(every("2020-01-01", 6, 10 * MINUTE, "p", "power", [3000.0] * 6))
    w.take(every("2020-01-01T05:00", 2, 10 * MINUTE, "p", "power", [3000.0] * 2))  # a third of an hour
    value = w.value(METERED, "2020-01-01")
    assert value.value == pytest.approx(24.0 + 3.0)
    assert value.coverage == pytest.approx((24 + 1 + 1 / 3) / 48)


@pytest.mark.parametrize("quantity", ["energy_total", "water_total", "heat_total"])
def test_one_reading_of_a_register_gives_no_amount(quantity: str) -> None:
    kind = {"e": "electricity_meter", "w": "water_meter", "h": "heat_meter"}[quantity[0]]
    code = {"e": METERED, "w": "EN:EN:WS:2C", "h": "EN:E:E:3C"}[quantity[0]]
    w = World([{**meter("m", quantity, interval_s=86400), "kind": kind}], {"period_capture": 0.0}, population=1)
    w.take(every("2020-01-01T10:00", 1, HOUR, "m", quantity, [500.0]))
    value = w.value(code, "2020-01-01")
    assert (value.value, value.n_devices) == (None, 0)
    assert "no " in value.notes
    w.take(every("2020-01-02T10:00", 1, HOUR, "m", quantity, [507.0]))
    first, second = w.value(code, "2020-01-01"), w.value(code, "2020-01-02")
    assert [first.coverage, second.coverage] == pytest.approx([14 / 24, 10 / 24])
    assert first.value is not None
    assert second.value == pytest.approx(first.value * 10 / 14)  # the step is spread over the 24 hours between


def spiked(**more: Any) -> World:
    w = World([meter("m", "energy_total", interval_s=3600, **more)])
    values = [1000.0 + 2 * h for h in range(96)]
    values[30:] = [v + 990.0 for v in values[30:]]
    w.take(every("2020-01-01", 96, HOUR, "m", "energy_total", values))
    return w


def test_a_step_beyond_the_connection_counts_nothing_and_is_named() -> None:
    """The register rises by 990 kWh in an hour and stays there: too much for a connection of 10 kW."""
    free, limited = spiked().value(METERED, "2020-01"), spiked(max_kw=10.0).value(METERED, "2020-01")
    assert free.value == pytest.approx(2 * 95 + 990)
    assert limited.value == pytest.approx(2 * 94)  # that step is not in it
    assert "meter changed: m on 2020-01-02 (see meter_change" in limited.notes
    assert limited.coverage == free.coverage


def test_a_reading_beyond_the_connection_that_comes_back_counts_nothing() -> None:
    """25 kWh too much in one reading: possible for any register, not for a connection of 10 kW."""
    values = [1000.0 + 2 * h for h in range(96)]
    values[30] += 25.0
    for more in ({}, {"max_kw": 10.0}):
        w = World([meter("m", "energy_total", interval_s=3600, **more)])
        w.take(every("2020-01-01", 96, HOUR, "m", "energy_total", values))
        found = w.value(METERED, "2020-01")
        assert found.value == pytest.approx(2 * 95)
        assert "changed" not in found.notes


def test_a_day_of_interval_energies_beyond_the_connection_is_left_out_and_named() -> None:
    w = World([meter("m", "energy_delta", interval_s=3600, max_kw=10.0)])
    w.take(every("2020-01-01", 48, HOUR, "m", "energy_delta", [2.0] * 30 + [990.0] + [2.0] * 17))
    found = w.value(METERED, "2020-01")
    assert found.value == pytest.approx(2 * 24)
    assert "left out: m 1036 kWh on 2020-01-02, more than 10 kW can carry" in found.notes


def test_the_energy_of_a_gap_is_within_what_the_gap_could_carry() -> None:
    w = World([meter("m", "energy_total", interval_s=3600, max_kw=10.0)])
    w.take(every("2020-01-01", 24, HOUR, "m", "energy_total", [1000.0 + h for h in range(24)]))
    w.take(every("2020-01-11", 24, HOUR, "m", "energy_total", [2500.0 + h for h in range(24)]))
    value = w.value(METERED, "2020-01")
    assert value.value == pytest.approx(23 + 23 + 2500 - 1023)
    assert "left out" not in value.notes


def estimated(customers: float | None, **rules: Any) -> World:
    city = {} if customers is None else {"electricity_customers": customers}
    w = World([meter("m", "energy_delta", interval_s=3600, customers=4)], rules, population=50, **city)
    w.take(every("2020-01-01", 24, HOUR, "m", "energy_delta", [2.0] * 24))
    return w


def test_customers_without_a_meter_are_estimated_only_when_asked_for_and_counted() -> None:
    plain = estimated(20).value(PER_CAPITA, "2020-01-01")
    assert plain.value == pytest.approx(48 / 50)
    assert "estimated" not in plain.notes
    value = estimated(20, estimate_unmetered=True).value(PER_CAPITA, "2020-01-01")
    assert value.value == pytest.approx(48 / 50 * 5)
    assert "estimated: 4 of 20 customers are metered" in value.notes
    for customers, sentence in ((None, "set electricity_customers"), (3, "less than the 4 customers")):
        none = estimated(customers, estimate_unmetered=True).value(PER_CAPITA, "2020-01-01")
        assert none.value is None
        assert sentence in none.notes


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 20), min_size=24, max_size=72), st.floats(20.5, 1000))
def test_power_interval_energy_and_register_of_one_load_agree_and_a_wide_limit_changes_nothing(
    kw: list[float], limit: float
) -> None:
    start, n = "2020-01-01", len(kw)
    totals = [100.0 + sum(kw[:i]) for i in range(n + 1)]
    rows = {
        "power": every(start, n, HOUR, "m", "power", [1000 * x for x in kw]),
        "energy_delta": every(start, n, HOUR, "m", "energy_delta", kw),
        "energy_total": every(start, n + 1, HOUR, "m", "energy_total", totals),
    }
    for quantity, readings in rows.items():
        for more in ({}, {"max_kw": limit}):
            w = World([meter("m", quantity, interval_s=3600, **more)])
            w.take(readings)
            assert w.value(METERED, "2020-01").value == pytest.approx(sum(kw), rel=1e-9, abs=1e-6)
