"""SAIFI, CAIDI, SAIDI and major event days."""

from __future__ import annotations

import math
import statistics
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_derivation.rules.outages import QUANTITIES, as_readings
from tests.kpi_derivation.golden.shared import outage_events, table, vectors
from tests.kpi_derivation.golden.world import Reading, World, at

LOG = {"id": "log", "kind": "outage_log", "quantities": list(QUANTITIES)}
SAIFI, CAIDI, SAIDI = "EC:I:ES:1C", "EC:I:ES:2C", "LOCAL:ES:SAIDI"


def events(*rows: tuple[str, float, float], device: str = "log") -> list[Reading]:
    """Readings of interruptions (start, minutes, customers)."""
    return [
        Reading(at(start), device, quantity, value, key)
        for key, (start, minutes, customers) in enumerate(rows)
        for quantity, value in as_readings(minutes, customers)
    ]


def city(customers: float, *rows: tuple[str, float, float], **rules: Any) -> World:
    w = World([LOG], rules, electricity_customers=customers)
    w.take(events(*rows))
    return w


def test_the_sample_system_of_ieee_1366() -> None:
    sample = vectors("ieee1366_sample_system")
    rows = [(f"2020-03-0{i + 1}T10:00", e["min"], e["n"]) for i, e in enumerate(sample["interruptions"])]
    w = city(sample["customers"], *rows)
    assert w.value(SAIFI, "2020").value == pytest.approx(sample["SAIFI"], rel=1e-9)
    assert w.value(CAIDI, "2020").value == pytest.approx(sample["CAIDI_min"], rel=1e-6)
    assert w.value(SAIDI, "2020", "all").value == pytest.approx(sample["SAIDI_min"], rel=1e-9)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_recorded_outages_of_a_state(number: int) -> None:
    expected = table("outages_state_year")[number]
    mine = [e for e in outage_events() if (e["state"], e["year"]) == (expected["state"], int(expected["year"]))]
    rows = [(e["start"].isoformat(), e["minutes"], e["customers"]) for e in mine if e["customers"] > 0]
    w = city(float(expected["customers_served"]), *rows)
    assert w.value(SAIFI, expected["year"]).value == pytest.approx(float(expected["saifi"]), abs=5e-7)
    assert w.value(CAIDI, expected["year"]).value == pytest.approx(float(expected["caidi_min"]), abs=5e-5)
    assert w.value(SAIDI, expected["year"], "all").value == pytest.approx(float(expected["saidi_min"]), abs=5e-5)


@pytest.mark.parametrize(("limit", "counted"), [(0, 4), (1, 3), (3, 2), (5, 1)])
def test_an_interruption_as_long_as_the_limit_does_not_count(limit: int, counted: int) -> None:
    rows = [(f"2020-03-01T1{i}:00", minutes, 10) for i, minutes in enumerate((1, 3, 5, 6))]
    w = city(10, *rows, sustained_interruption_min=limit)
    assert w.value(SAIFI, "2020").value == counted
    assert f"longer than {limit} min" in w.value(SAIFI, "2020").notes


def test_a_meter_counts_the_power_failures_of_its_customer() -> None:
    meters = [{**LOG, "id": f"m{i}", "kind": "electricity_meter"} for i in range(2)]
    w = World(meters, electricity_customers=2)
    w.take(events(("2020-03-01T10:00", 30, 1), ("2020-03-01T10:00", 20, 1), device="m0"))
    assert w.value(SAIFI, "2020").value == 1.0
    assert w.value(CAIDI, "2020").value == 25.0


def test_silent_logs_say_zero_interruptions_and_no_mean_length() -> None:
    w = World([{**LOG, "since": "2020-01-01"}], electricity_customers=5)
    assert w.value(SAIFI, "2020").value == 0.0
    assert w.value(CAIDI, "2020").value is None
    assert "no customer was interrupted" in w.value(CAIDI, "2020").notes
    assert "electricity_customers" in World([{**LOG, "since": "2020-01-01"}]).value(SAIFI, "2020").notes
    assert "no outage log" in World([], electricity_customers=5).value(SAIFI, "2020").notes


def _storm() -> tuple[list[tuple[str, float, float]], list[float], float]:
    """Five years with an interruption every ninth day, a sixth with a storm; daily SAIDI of the five, the storm's."""
    rows, days = [], []
    for i in range(200):
        day, minutes, customers = date(2010, 1, 1) + timedelta(days=9 * i), 20.0 + i % 50, 5.0 + i % 7
        rows.append((f"{day:%Y-%m-%d}T08:00", minutes, customers))
        days.append(minutes * customers / 1000)
    return [*rows, ("2015-06-01T08:00", 600.0, 900.0), ("2015-07-01T08:00", 30.0, 6.0)], days, 540.0


def test_a_storm_is_a_major_event_day_and_is_shown_apart() -> None:
    rows, days, storm = _storm()
    w = city(1000, *rows)
    logs = [math.log(d) for d in days[: sum(r[0] < "2015" for r in rows)]]
    limit = math.exp(statistics.mean(logs) + 2.5 * statistics.stdev(logs))
    daily = zip([*days, storm, 0.18], rows, strict=True)
    everything, without = w.value(SAIDI, "2015", "all"), w.value(SAIDI, "2015", "without_major_events")
    assert limit < storm
    assert everything.value == pytest.approx(sum(d for d, r in daily if r[0] >= "2015"))
    assert without.value == pytest.approx((everything.value or 0.0) - storm)
    assert f"T_MED {limit:.4g} min" in without.notes
    assert "logged years" not in without.notes  # all five years are there
    assert (w.value(SAIFI, "2015").value or 0.0) > 0.9  # all-in


def test_a_limit_from_fewer_than_five_logged_years_says_so() -> None:
    rows, _, _ = _storm()
    w = city(1000, *(r for r in rows if r[0] >= "2012"))
    found = w.value(SAIDI, "2015", "without_major_events")
    assert found.value is not None
    assert "days of 3.0 logged years, of five; 1 major event days" in found.notes


def test_late_events_of_past_years_change_the_later_year_that_looks_back() -> None:
    rows, _, _ = _storm()
    plain, late = city(1000, *rows), city(1000, *rows[40:])
    late.engine.evaluate(at("2016-02-01"))
    late.take(events(*rows[:40]))
    changed = {(v.period, v.part) for v in late.engine.evaluate(at("2016-02-01")) if v.code == SAIDI}
    assert ("2015", "without_major_events") in changed
    assert late.value(SAIDI, "2015", "without_major_events") == plain.value(SAIDI, "2015", "without_major_events")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 364), st.floats(0.1, 5000), st.integers(1, 500)), min_size=1, max_size=20))
def test_saidi_is_saifi_times_caidi(found: list[tuple[int, float, int]]) -> None:
    rows = [(f"{date(2019, 1, 1) + timedelta(days=d):%Y-%m-%d}T05:00", m, c) for d, m, c in found]
    w = city(700, *rows)
    saifi, caidi, saidi = w.value(SAIFI, "2019"), w.value(CAIDI, "2019"), w.value(SAIDI, "2019", "all")
    sustained = [(m, c) for _, m, c in found if m > 5]
    assert saifi.value == pytest.approx(sum(c for _, c in sustained) / 700)
    assert saidi.value == pytest.approx((saifi.value or 0.0) * (caidi.value or 0.0))
