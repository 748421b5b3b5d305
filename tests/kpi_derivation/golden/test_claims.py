"""What a value claims: over which time, of which devices; zero, nothing, a part, stale and future are different."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kpi_derivation.rules.metering.registers import MeterChange, Register, split, steps
from telemetry.kpi_value import KpiValue
from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at, every

ENERGY, SESSIONS, UTILISATION = "LOCAL:EV:ENERGY", "LOCAL:EV:SESSIONS", "LOCAL:EV:UTILISATION"
SAIFI, CAIDI = "EC:I:ES:1C", "EC:I:ES:2C"


def charger(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "ev_charger", "quantities": ["session_energy"], **more}


def sessions(name: str, first: str, count: int) -> list[Reading]:
    """A session of 10 kWh and 6 hours a day."""
    energy = every(first, count, DAY, name, "session_energy", [10.0] * count)
    return energy + every(first, count, DAY, name, "connected_time", [6 * 3600.0] * count)


def claim(v: KpiValue) -> tuple[float | None, str, str]:
    return v.value, v.status, v.reason


def test_a_month_of_sessions_is_no_year() -> None:
    w = World([charger("c")])
    w.take(sessions("c", "2019-01-01T08:00", 365 + 31))
    assert claim(w.value(ENERGY, "2019")) == (3650.0, "final", "")
    cut = w.value(ENERGY, "2020")
    assert claim(cut) == (310.0, "partial", "partial_period")
    assert cut.coverage == pytest.approx(31 / 366)
    assert claim(w.value(ENERGY, "2020-01")) == (310.0, "final", "")
    assert w.value(UTILISATION, "2020").value == pytest.approx(25.0)  # of the time it was there, not of 366 days
    assert claim(w.value(SESSIONS, "2020-06")) == (None, "insufficient", "no_data")


def test_a_day_without_a_session_inside_a_chargers_life_is_zero_sessions() -> None:
    w = World([charger("c")])
    w.take([*sessions("c", "2020-01-01T08:00", 3), *sessions("c", "2020-01-06T08:00", 3)])
    assert claim(w.value(SESSIONS, "2020-01-04")) == (0.0, "final", "")


def test_one_of_many_chargers_is_no_city() -> None:
    w = World([charger(f"c{i}") for i in range(10)])
    w.take(sessions("c0", "2019-01-01T08:00", 365))
    found = w.value(SESSIONS, "2019")
    assert claim(found) == (365.0, "partial", "partial_period")
    assert found.coverage == pytest.approx(0.1)
    late = World([charger("c0"), *(charger(f"c{i}", since="2020-01-01") for i in range(1, 10))])
    late.take(sessions("c0", "2019-01-01T08:00", 365))
    assert claim(late.value(SESSIONS, "2019")) == (365.0, "final", "")  # the others were not there yet


def log(**more: Any) -> World:
    quantities = ["interrupted_over_5min", "interruption_over_5min"]
    device = {"id": "log", "kind": "outage_log", "quantities": quantities, **more}
    w = World([device], electricity_customers=1000)
    for year, customers in ((2013, 200.0), (2015, 100.0)):
        w.take([Reading(at(f"{year}-03-01"), "log", q, v) for q, v in zip(quantities, (customers, 60 * customers))])  # noqa: B905
    return w


def test_a_year_inside_the_log_is_zero_and_one_outside_is_nothing() -> None:
    w = log(since="2012-01-01", until="2016-12-31")
    assert [w.value(SAIFI, str(y)).value for y in range(2011, 2018)] == [None, 0.0, 0.2, 0.0, 0.1, 0.0, None]
    assert claim(w.value(SAIFI, "2011")) == (None, "insufficient", "outside_log")
    assert claim(w.value(CAIDI, "2014")) == (None, "not_applicable", "undefined")
    assert claim(w.value(CAIDI, "2013")) == (60.0, "final", "")


def test_the_years_of_a_log_that_declares_nothing_reach_from_its_first_event_to_its_last() -> None:
    w = log()
    assert [w.value(SAIFI, str(y)).value for y in range(2012, 2017)] == [None, 0.2, 0.0, 0.1, None]


def test_zero_years_of_a_log_are_evaluated_like_others() -> None:
    w = log()
    found = {(v.code, v.period): v.value for v in w.engine.evaluate(at("2020-01-01"))}
    assert found[SAIFI, "2014"] == 0.0
    assert found[SAIFI, "2014-Q2"] == 0.0
    assert (SAIFI, "2012") not in found


@pytest.mark.parametrize("quantity", ["pm2_5", "no2"])  # particles have NowCast's own rule
@pytest.mark.parametrize("hours_ago", [1, 2, 3, 27])
def test_a_current_index_needs_two_of_the_last_three_hours(hours_ago: int, quantity: str) -> None:
    w = World([{"id": "s", "kind": "air_reference", "quantities": [quantity], "interval_s": 3600}])
    w.take(every("2024-03-01", 48, HOUR, "s", quantity, [300.0] * 48))
    now = at("2024-03-03") + (hours_ago - 1) * HOUR + 10 * MINUTE
    w.engine.evaluate(now)
    rolling = next(p for p in w.engine.rolling(now) if p.kind == "24h")
    found = {v.code: v for v in w.engine.derive(rolling, now)}
    us, eu = found["LOCAL:AQ:USAQI"], found["LOCAL:AQ:EAQI"]
    assert (us.value is not None, us.reason) == ((True, "") if hours_ago <= 2 else (False, "stale"))
    assert (eu.value is not None, eu.reason) == ((True, "") if hours_ago <= 3 else (False, "stale"))


def test_a_kpi_of_calendar_periods_does_not_apply_to_24_hours_and_a_future_year_has_nothing() -> None:
    w = World([{"id": "s", "kind": "air_reference", "quantities": ["pm2_5"], "interval_s": 3600}])
    w.take(every("2024-03-01", 48, HOUR, "s", "pm2_5", [30.0] * 48))
    now = at("2024-03-03") + 10 * MINUTE
    rolling = next(p for p in w.engine.rolling(now) if p.kind == "24h")
    days = next(v for v in w.engine.derive(rolling, now) if v.code == "LOCAL:AQ:WHO_DAYS" and v.part == "pm2_5")
    assert claim(days) == (None, "not_applicable", "not_for_period")
    future = w.values("2025", now)["EN:EN:AQ:1C", "pm2_5"]
    assert claim(future) == (None, "not_applicable", "future")


def test_a_kpi_of_meters_does_not_apply_to_a_city_without_any() -> None:
    w = World([{"id": "s", "kind": "air_reference", "quantities": ["pm2_5"]}])
    w.take(every("2024-03-01", 48, HOUR, "s", "pm2_5", [30.0] * 48))
    found = [w.value(code, "2024-03") for code in ("EN:E:E:1C", "EN:E:E:2C", "EN:EN:AQ:2C", "LOCAL:E:PEAK", ENERGY)]
    assert {claim(v) for v in found} == {(None, "not_applicable", "no_device")}


@pytest.mark.parametrize("step_ms", [MINUTE, 15 * MINUTE, HOUR])
def test_sums_do_not_fall_when_an_hour_begins(step_ms: int) -> None:
    """A constant load: 24 hours hold the same energy just before and just after a full hour, at full coverage."""
    w = World([{"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": step_ms // 1000}])
    n = 3 * DAY // step_ms + 1
    w.take(every("2024-03-01", n, step_ms, "m", "energy_total", [100.0 + i * step_ms / HOUR for i in range(n)]))
    for minute in (55, 59, 60, 61, 66):
        now = at("2024-03-03T13:00") + minute * MINUTE
        w.engine.evaluate(now)
        rolling = next(p for p in w.engine.rolling(now) if p.kind == "24h")
        found = next(v for v in w.engine.derive(rolling, now) if v.code == "LOCAL:E:METERED")
        assert found.value == pytest.approx(24.0)
        assert found.coverage == 1.0


def test_a_year_of_registers_read_at_midnight_and_monthly() -> None:
    """Day n of 2025 uses n kWh; month m uses 100 * m kWh. The sums are arithmetic."""
    daily = World([{"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 86400}])
    totals = [sum(range(n)) for n in range(1, 367)]
    daily.take(every("2025-01-01", 366, DAY, "m", "energy_total", [1000.0 + t for t in totals]))
    assert daily.value("LOCAL:E:METERED", "2025-06-15").value == pytest.approx(166)
    assert daily.value("LOCAL:E:METERED", "2025").value == pytest.approx(66_795)
    monthly = World([{"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 2592000}])
    starts = ["2024-12-01", *(f"2025-{m:02}-01" for m in range(1, 13)), "2026-01-01"]
    register, rows = 5000.0, []
    for month, start in enumerate(starts):
        rows.append(Reading(at(start), "m", "energy_total", register))
        register += 100.0 * month if month else 4000.0
    monthly.take(rows)
    assert monthly.value("LOCAL:E:METERED", "2025-06").value == pytest.approx(600)
    assert monthly.value("LOCAL:E:METERED", "2025").value == pytest.approx(7800)


def test_a_gap_makes_no_days_bar() -> None:
    """24 kWh a day; of five days nothing is read: the energy lies in the gap, not on the day after it."""
    w = World([{"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 3600}])
    w.take([r for r in every("2025-01-01", 480, HOUR, "m", "energy_total", [100.0 + h for h in range(480)])
            if not at("2025-01-05T12:00") < r.time < at("2025-01-10T12:00")])  # fmt: skip
    assert w.value("LOCAL:E:METERED", "2025-01-10").value == pytest.approx(24)
    assert w.value("LOCAL:E:METERED", "2025-01-10").coverage == pytest.approx(0.5)
    assert w.value("LOCAL:E:METERED", "2025-01").value == pytest.approx(479)


def test_a_declared_meter_change_counts_what_it_says() -> None:
    v = [100.0, 101.0, 7.0, 8.0]
    change = MeterChange(at("2025-01-01T01:30"), last=101.4, first=6.5)
    t = np.array([at("2025-01-01") + i * HOUR for i in range(4)])
    nothing = np.full(4, np.nan)
    found = steps(Register(t, np.array(v), nothing, np.inf, np.nan, [change]))
    assert found.energy.tolist() == pytest.approx([1.0, 0.4 + 0.5, 1.0])
    assert found.changed.tolist() == [False, True, False]
    assert split(0, 10, 5.0, np.array([0, 4, 20])).tolist() == [2.0, 3.0]


def hourly(name: str, kind: str, quantity: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "quantities": [quantity], "interval_s": 3600, **more}


def test_a_meter_counts_and_is_expected_only_while_it_is_in_service() -> None:
    """Two meters of 1 kWh an hour: one from July on, and it was tried in a workshop before that."""
    late = hourly("new", "electricity_meter", "energy_delta", since="2023-07-01")
    w = World([hourly("old", "electricity_meter", "energy_delta"), late], population=10, electricity_meters=2)
    w.take(every("2023-01-01", 8760, HOUR, "old", "energy_delta", [1.0] * 8760))
    w.take(every("2023-06-01", 5136, HOUR, "new", "energy_delta", [1.0] * 5136))  # 214 days
    year = w.value("LOCAL:E:METERED", "2023")
    assert claim(year) == (8760.0 + 184 * 24, "final", "")
    assert (year.coverage, year.n_devices) == (1.0, 2)
    assert w.value("LOCAL:E:METERED", "2023-06").value == 720.0
    assert w.value("LOCAL:E:METERED", "2023-06").n_devices == 1
    w.restart()
    assert w.value("LOCAL:E:METERED", "2023") == year


def test_a_meter_that_nobody_declares_new_is_missing_before_its_first_reading() -> None:
    meters = [hourly(name, "electricity_meter", "energy_delta") for name in ("old", "new")]
    w = World(meters, population=10, electricity_meters=2)
    w.take(every("2023-01-01", 8760, HOUR, "old", "energy_delta", [1.0] * 8760))
    w.take(every("2023-11-01", 61 * 24, HOUR, "new", "energy_delta", [1.0] * 61 * 24))
    year = w.value("LOCAL:E:METERED", "2023")
    assert claim(year) == (8760.0 + 1464.0, "partial", "partial_period")
    assert year.coverage == pytest.approx((365 + 61) / 730)


def test_the_reading_that_closes_the_last_day_of_a_register_counts() -> None:
    """Read at midnight, 1 kWh an hour, in service until 30 June; what comes later is another place's."""
    device = {**hourly("m", "electricity_meter", "energy_total", until="2023-06-30"), "interval_s": 86400}
    w = World([device])
    w.take(every("2023-06-01", 40, DAY, "m", "energy_total", [100.0 + 24 * i for i in range(40)]))
    assert w.value("LOCAL:E:METERED", "2023-06").value == pytest.approx(720.0)
    assert w.value("LOCAL:E:METERED", "2023-06").coverage == 1.0
    assert claim(w.value("LOCAL:E:METERED", "2023-07")) == (None, "not_applicable", "no_device")


def test_a_station_of_half_a_year_gives_a_part_of_the_year_and_is_left_out_beside_a_whole_one() -> None:
    new = hourly("new", "air_reference", "no2", since="2023-07-01")
    alone = World([new])
    both = World([hourly("old", "air_reference", "no2"), new])
    rows = every("2023-07-01", 184 * 24, HOUR, "new", "no2", [30.0] * 184 * 24)
    alone.take(rows)
    both.take([*rows, *every("2023-01-01", 8760, HOUR, "old", "no2", [10.0] * 8760)])
    part = alone.value("EN:EN:AQ:1C", "2023", "no2")
    assert claim(part) == (30.0, "partial", "partial_period")
    assert part.coverage == 1.0
    whole = both.value("EN:EN:AQ:1C", "2023", "no2")
    assert claim(whole) == (10.0, "final", "")
    assert "new 50.41 %" in whole.notes
    assert claim(both.value("EN:EN:AQ:1C", "2023-08", "no2")) == (20.0, "final", "")
    gone = World([hourly("gone", "air_reference", "no2", until="2022-12-31")])
    gone.take(every("2022-12-01", 100, HOUR, "gone", "no2", [10.0] * 100))
    assert claim(gone.value("EN:EN:AQ:1C", "2023", "no2")) == (None, "not_applicable", "no_device")


def test_a_station_of_two_thirds_of_its_time_is_insufficient_not_partial() -> None:
    w = World([hourly("s", "air_reference", "no2", since="2023-12-01")])
    w.take(every("2023-12-01", 20 * 24, HOUR, "s", "no2", [10.0] * 480))
    assert claim(w.value("EN:EN:AQ:1C", "2023", "no2")) == (None, "insufficient", "low_coverage")


@pytest.mark.parametrize("code", ["LOCAL:AQ:EAQI", "LOCAL:AQ:USAQI"])
def test_the_worst_day_of_a_month_is_not_that_of_the_year(code: str) -> None:
    w = World([hourly("s", "air_reference", "pm2_5")])
    w.take(every("2023-01-01", 31 * 24, HOUR, "s", "pm2_5", [20.0] * 744))
    year, month = w.value(code, "2023"), w.value(code, "2023-01")
    assert (year.value, year.status, year.reason) == (month.value, "partial", "partial_period")
    assert year.coverage == pytest.approx(31 / 365)
    assert (month.status, month.coverage) == ("final", 1.0)


def test_the_peak_of_a_month_or_of_one_of_two_meters_is_not_that_of_the_year() -> None:
    w = World([hourly(name, "electricity_meter", "energy_delta") for name in ("a", "b")])
    w.take(every("2023-01-01", 31 * 24, HOUR, "a", "energy_delta", [2.0] * 744))
    for period, coverage in (("2023-01", 0.5), ("2023", 31 / 730)):
        peak = w.value("LOCAL:E:PEAK", period)
        assert claim(peak) == (2.0, "partial", "partial_period")
        assert peak.coverage == pytest.approx(coverage)
    w.take(every("2023-01-01", 31 * 24, HOUR, "b", "energy_delta", [1.0] * 744))
    assert claim(w.value("LOCAL:E:PEAK", "2023-01")) == (3.0, "final", "")
    assert w.value("LOCAL:E:PEAK", "2023-01").coverage == 1.0
