"""Availability of chargers, and charging per inhabitant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.windows import MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at, every
from tests.replay import recorded

AVAILABILITY, PER_CAPITA, SHARE = "LOCAL:EV:AVAILABILITY", "LOCAL:EV:PER_CAPITA", "LOCAL:EV:SHARE"
FREE, CONNECTED, CHARGING, FAULT = 0.0, 1.0, 2.0, 3.0
DAY = 1440


def charger(name: str, *quantities: str) -> dict[str, Any]:
    return {"id": name, "kind": "ev_charger", "quantities": list(quantities), "interval_s": 60}


def reported(states: dict[str, list[float]]) -> World:
    w = World([charger(name, "connector_state") for name in states])
    for name, values in states.items():
        w.take(every("2021-06-01", len(values), MINUTE, name, "connector_state", values))
    return w


def test_the_uptime_of_the_american_rule() -> None:
    """23 CFR 680.116(b): uptime = (minutes - minutes of outage) / minutes; of a day with 43 minutes, 97.01 %."""
    value = reported({"c": [FAULT] * 43 + [CHARGING] * 200 + [FREE] * (DAY - 243)}).value(AVAILABILITY, "2021-06-01")
    assert value.value == pytest.approx(100 * (DAY - 43) / DAY, rel=1e-12)
    assert value.value == pytest.approx(97.01, abs=0.005)
    assert (value.coverage, value.n_devices) == (1.0, 1)


def test_a_silent_charger_is_neither_available_nor_not() -> None:
    w = reported({"a": [FREE] * (DAY // 2) + [FAULT] * (DAY // 2), "b": [CONNECTED] * DAY, "silent": []})
    value = w.value(AVAILABILITY, "2021-06-01")
    assert value.value == pytest.approx(75.0)
    assert value.coverage == pytest.approx(2 / 3)
    assert value.n_devices == 2
    none = reported({"silent": []}).value(AVAILABILITY, "2021-06-01")
    assert (none.value, none.notes) == (None, "no charger reported its state")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from([FREE, CONNECTED, CHARGING, FAULT]), min_size=1, max_size=200), min_size=1,
                max_size=3))  # fmt: skip
def test_availability_is_the_mean_of_the_chargers_shares_and_only_faults_lower_it(states: list[list[float]]) -> None:
    named = {f"c{i}": values for i, values in enumerate(states)}
    value = reported(named).value(AVAILABILITY, "2021-06-01").value
    shares = [sum(v != FAULT for v in values) / len(values) for values in states]
    assert value == pytest.approx(100 * sum(shares) / len(shares), abs=1e-9)
    fixed = {name: [FREE if v == FAULT else v for v in values] for name, values in named.items()}
    assert reported(fixed).value(AVAILABILITY, "2021-06-01").value == pytest.approx(100.0)


def test_the_recorded_sessions_of_june_per_inhabitant() -> None:
    rows = recorded.rows(recorded.ACN)[1:]
    w = World([charger(d, "session_energy") for d in sorted({r[2] for r in rows})],
              timezone="America/Los_Angeles", population=1000)  # fmt: skip
    w.take(Reading(at(r[0].removesuffix("Z")), r[2], "session_energy", float(r[3]), i) for i, r in enumerate(rows))
    expected = recorded.expected("ev_acn")["energy_local_month_2021-06"]
    assert w.value(PER_CAPITA, "2021-06").value == pytest.approx(expected / 1000, abs=5e-7)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(1, 10**6))
def test_charging_per_inhabitant_times_the_inhabitants_is_all_charging(energies: list[float], people: int) -> None:
    rows = [Reading(at("2021-06-01") + i * MINUTE, "c", "session_energy", e, i) for i, e in enumerate(energies)]
    cities: list[dict[str, Any]] = [{"population": people}, {}]
    w, nobody = (World([charger("c", "session_energy")], **city) for city in cities)
    w.take(rows)
    nobody.take(rows)
    assert (w.value(PER_CAPITA, "2021").value or 0.0) * people == pytest.approx(sum(energies))
    assert nobody.value(PER_CAPITA, "2021").value is None
    assert "population" in nobody.value(PER_CAPITA, "2021").notes


def charging(sessions: list[tuple[int, float]], hours: int, **city: Any) -> World:
    """A charger that shows its state for so many hours from 1 June, with sessions of (minute, kWh)."""
    w = World([charger("c", "connector_state", "session_energy")], **city)
    w.take(every("2021-06-01", 60 * hours, MINUTE, "c", "connector_state", [FREE] * (60 * hours)))
    w.take(Reading(at("2021-06-01") + m * MINUTE, "c", "session_energy", e, i) for i, (m, e) in enumerate(sessions))
    return w


def test_the_electric_share_is_what_all_cars_would_need_in_the_same_time() -> None:
    """13,000 km a year at 20 kWh per 100 km are 2,600 kWh: of 100 cars 712.33 kWh a day, of which 35.6164 are 5 %."""
    value = charging([(60, 20.0), (600, 15.6164)], 24, passenger_vehicles=100).value(SHARE, "2021-06-01")
    assert value.value == pytest.approx(5.0, abs=1e-5)
    assert (value.coverage, value.status, value.n_devices) == (1.0, "final", 1)
    assert "(partial; unconfirmed formula)" in value.method
    assert value.notes.startswith("partial: energy of the registered chargers only")


def test_a_charger_known_for_ten_days_gives_the_share_of_ten_days() -> None:
    every_day = [(d * DAY + 60, 35.6164) for d in range(10)]
    value = charging(every_day, 240, passenger_vehicles=100).value(SHARE, "2021-06")
    assert value.coverage == pytest.approx(1 / 3, abs=1e-4)
    assert value.value == pytest.approx(5.0, abs=1e-3)
    assert (value.status, value.reason) == ("partial", "partial_period")


def test_without_registered_vehicles_the_electric_share_names_the_key() -> None:
    value = charging([(60, 20.0)], 24).value(SHARE, "2021-06-01")
    assert (value.value, value.reason) == (None, "missing_setting")
    assert "set passenger_vehicles in [city]" in value.notes
    silent = World([charger("c", "session_energy")], passenger_vehicles=100).value(SHARE, "2021-06-01")
    assert (silent.value, silent.reason) == (None, "no_data")


def test_the_electric_share_of_the_recorded_sessions_of_june() -> None:
    rows = recorded.rows(recorded.ACN)[1:]
    w = World([charger(d, "session_energy") for d in sorted({r[2] for r in rows})],
              {"electric_car_kwh_per_year": 1950.0}, timezone="America/Los_Angeles", passenger_vehicles=20)  # fmt: skip
    w.take(Reading(at(r[0].removesuffix("Z")), r[2], "session_energy", float(r[3]), i) for i, r in enumerate(rows))
    expected, value = recorded.expected("ev_acn")["energy_local_month_2021-06"], w.value(SHARE, "2021-06")
    assert value.value == pytest.approx(100 * expected / (20 * 1950 * value.coverage * 30 / 365), rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(1, 10**6), st.floats(100, 10_000))
def test_the_electric_share_times_what_all_cars_need_is_all_charging(
    energies: list[float], cars: int, need: float
) -> None:
    sessions = list(enumerate(energies))
    w = World([charger("c", "connector_state", "session_energy")], {"electric_car_kwh_per_year": need},
              passenger_vehicles=cars)  # fmt: skip
    w.take(every("2021-06-01", DAY, MINUTE, "c", "connector_state", [FREE] * DAY))
    w.take(Reading(at("2021-06-01") + i * MINUTE, "c", "session_energy", e, i) for i, e in sessions)
    value = w.value(SHARE, "2021-06-01")
    assert (value.value or 0.0) / 100 * cars * need / 365 == pytest.approx(sum(energies))
    assert value.value is not None
    assert value.value >= 0
