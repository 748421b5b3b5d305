"""Quality control against neighbours, and calibration above the raw store."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_derivation.rules.air.calibration import fit
from telemetry.windows import DAY, HOUR
from tests.kpi_derivation.golden.aberdeen import world
from tests.kpi_derivation.golden.world import Reading, World, at, every

AIR = "EN:EN:AQ:1C"


STATIONS = [{"id": f"s{i}", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600} for i in range(5)]


def air(days: int, fault: int | None = None, rules: dict[str, Any] | None = None, factor: float = 2.0) -> World:
    """Five stations around a common level; s2 off by `factor` from day `fault` on. Three-hourly would not be valid."""
    w, chance = World(STATIONS, rules), random.Random(4)
    common = [20.0 + 10 * chance.random() for _ in range(days)]
    for i in range(5):
        values = []
        for d in range(days):
            level = common[d] * (0.8 + 0.1 * i) * chance.uniform(0.85, 1.15)
            level *= factor if i == 2 and fault is not None and d >= fault else 1.0
            values += [level + h % 5 for h in range(24)]
        w.take(every("2021-01-01", days * 24, HOUR, f"s{i}", "no2", values))
    return w


def test_a_doubled_station_is_flagged_within_two_weeks_with_the_mean_without_it() -> None:
    value = air(114, fault=100).value(AIR, "2021-04", "no2")
    assert "suspect: s2 drifts against its neighbours" in value.notes
    assert "without them" in value.notes
    assert value.n_devices == 5
    clean = air(114).value(AIR, "2021-04", "no2")
    assert "suspect" not in clean.notes
    without = float(value.notes.split("without them ")[1].split()[0])
    assert abs(without / (clean.value or 1.0) - 1) < 0.05 < (value.value or 0.0) / (clean.value or 1.0) - 1


COUNT_ALL: dict[str, Any] = {"period_capture": 0}
EXCLUDE = {**COUNT_ALL, "exclude_suspect": True}


def test_a_station_whose_fault_is_confirmed_can_be_left_out_by_rule() -> None:
    kept, excluding = (
        air(250, 210, COUNT_ALL).value(AIR, "2021", "no2"),
        air(250, 210, EXCLUDE).value(AIR, "2021", "no2"),
    )
    assert excluding.n_devices == 4
    assert "with them" in excluding.notes
    assert "suspect: s2 drifts far and alone against its neighbours" in kept.notes
    assert "confirmed" in kept.notes
    assert kept.n_devices == 5


def test_without_half_a_year_of_history_no_station_is_left_out_not_even_the_repaired_one() -> None:
    """One that is halved after 100 days is one that was doubled until then: only the fault could be learnt."""
    for made in (air(130, 90, EXCLUDE), air(160, 100, EXCLUDE, factor=0.5)):
        value = made.value(AIR, "2021", "no2")
        assert "suspect: s2 drifts" in value.notes
        assert "confirmed" not in value.notes
        assert value.n_devices == 5


def test_two_stations_that_leave_the_others_together_are_weather() -> None:
    w, chance = World(STATIONS, EXCLUDE), random.Random(7)
    common = [20.0 + 10 * chance.random() for _ in range(250)]
    for i in range(5):
        off = [2.0 if i in (2, 3) and d >= 210 else 1.0 for d in range(250)]
        levels = [common[d] * (0.8 + 0.1 * i) * chance.uniform(0.85, 1.15) * off[d] for d in range(250)]
        w.take(every("2021-01-01", 250 * 24, HOUR, f"s{i}", "no2", [v + h % 5 for v in levels for h in range(24)]))
    value = w.value(AIR, "2021", "no2")
    assert "suspect: s2 drifts" in value.notes
    assert "confirmed" not in value.notes
    assert value.n_devices == 5


def test_a_fault_known_before_does_not_hide_the_fault_of_another_station() -> None:
    """s2 reads double from day 200 on; s3 from day 240 on, when s2 has drifted for weeks: that is not the weather."""
    w, chance = World(STATIONS, EXCLUDE), random.Random(7)
    since = {2: 200, 3: 240}
    common = [20.0 + 10 * chance.random() for _ in range(280)]
    for i in range(5):
        off = [2.0 if d >= since.get(i, 280) else 1.0 for d in range(280)]
        levels = [common[d] * (0.8 + 0.1 * i) * chance.uniform(0.85, 1.15) * off[d] for d in range(280)]
        w.take(every("2021-01-01", 280 * 24, HOUR, f"s{i}", "no2", [v + h % 5 for v in levels for h in range(24)]))
    value = w.value(AIR, "2021", "no2")
    assert [f"suspect: s{i} drifts far and alone" in value.notes for i in (2, 3)] == [True, True]
    assert value.n_devices == 3


def test_a_fault_that_the_operator_confirms_leaves_out_its_days_of_that_quantity() -> None:
    """s2 is doubled from day 90 on and the city file says so: what is left is the mean of the undisturbed days."""
    fault = [{"quantity": "no2", "since": "2021-04-01", "until": "2021-04-30", "note": "span drift"}]
    w = World([{**d, "fault": fault} if d["id"] == "s2" else d for d in STATIONS], {"period_capture": 0.0})
    disturbed = air(120, 90)
    w.take(readings_of(disturbed))
    means = [daily_means(disturbed, f"s{i}") for i in range(5)]
    means[2] = means[2][:90]
    value = w.value(AIR, "2021", "no2")
    assert value.value == pytest.approx(sum(sum(m) / len(m) for m in means) / 5, rel=1e-9)
    w.restart()
    assert w.value(AIR, "2021", "no2") == value


def readings_of(w: World) -> list[Reading]:
    columns = (c.tolist() for c in (w.readings.series, w.readings.t, w.readings.value))
    rows = [(w.table[s], t, v) for s, t, v in zip(*columns, strict=True)]
    return [Reading(t, name.device, name.quantity, v) for name, t, v in rows]


def daily_means(w: World, device: str) -> list[float]:
    values = [r.value for r in sorted(readings_of(w)) if r.device == device]
    return [sum(values[i : i + 24]) / 24 for i in range(0, len(values), 24)]


def test_a_fault_of_months_stays_flagged_to_its_end() -> None:
    w = air(250, fault=100)
    w.values("2021")
    first = date(2021, 1, 1).toordinal()
    flagged = w.engine._days.daily(["s2"], "no2", first, first + 249)["suspect"][0]
    assert (flagged[114:250] > 0).mean() > 0.95
    assert flagged[-1] > 0
    assert not flagged[:100].any()


def test_a_stuck_station_is_flagged_that_day() -> None:
    w = air(60)
    w.take(every("2021-03-02", 24, HOUR, "s1", "no2", [17.0] * 24))
    w.values("2021")
    day = date(2021, 3, 2).toordinal()
    assert w.engine._days.daily(["s1"], "no2", day, day)["suspect"][0, 0] == 3.0


@pytest.mark.parametrize("quantity", ["pm10", "pm2_5", "no2"])
def test_a_particle_sensor_whose_fan_stands_is_flagged_after_two_days(quantity: str) -> None:
    """It goes on to send zeros with a little noise. Without any neighbour."""
    w = World([{"id": "pm", "kind": "air_lowcost", "quantities": [quantity], "interval_s": 3600}])
    good = [4.0 + h % 7 for h in range(21 * 24)]
    w.take(every("2021-01-01", 24 * 24, HOUR, "pm", quantity, good + [0.1 * (h % 4) for h in range(3 * 24)]))
    value = w.value(AIR, "2021-01", quantity)
    flagged = "suspect: pm empty (does its fan stand?) against its neighbours on 3 days from 2021-01-22" in value.notes
    assert flagged == (quantity != "no2")
    assert value.n_devices == 1  # flagged, not left out
    days = w.engine._days.daily(["pm"], quantity, *(date(2021, 1, d).toordinal() for d in (1, 21)))
    assert not days["suspect"].any()


@pytest.mark.parametrize("quantity", ["pm10", "pm2_5"])
def test_no_recorded_day_of_a_station_is_without_particles(quantity: str) -> None:
    world().values("2018-01-01")
    names, first = [d.id for d in world().city.device if quantity in d.quantities], date(2018, 1, 1).toordinal()
    flags = world().engine._days.daily(names, quantity, first, first + 364)["suspect"]
    assert flags.shape[1] == 365
    assert not (flags >= 3.0).any()


@pytest.mark.parametrize("seed", range(3))
def test_flags_do_not_depend_on_the_order_of_days_or_a_restart(seed: int) -> None:
    w, chance = World(STATIONS), random.Random(seed)
    full = air(130, 90)
    rows = [Reading(int(t), full.table[int(s)].device, "no2", float(v))
            for s, t, v in zip(full.readings.series, full.readings.t, full.readings.value, strict=True)]  # fmt: skip
    days = sorted({r.time // DAY for r in rows})
    chance.shuffle(days)
    for k in range(0, len(days), 17):
        part = set(days[k : k + 17])
        w.take(r for r in rows if r.time // DAY in part)
        w.engine.evaluate(at("2022-06-01"))
        if k % 2:
            w.restart()
    for period in ("2021", "2021-03", "2021-05"):
        assert w.value(AIR, period, "no2") == full.value(AIR, period, "no2")
    full.restart()
    assert w.value(AIR, "2021", "no2") == full.value(AIR, "2021", "no2")


LOW = {"id": "pa", "kind": "air_lowcost", "quantities": ["pm2_5", "humidity"], "interval_s": 3600}
BARKJOHN = {"quantity": "pm2_5", "valid_from": "2021-01-01", "gain": 0.524, "offset": 5.75, "humidity": -0.0862}


def low_cost(*entries: dict[str, Any]) -> World:
    w = World([{**LOW, "calibration": list(entries)}])
    w.take(every("2021-01-01", 48, HOUR, "pa", "pm2_5", [20.0 + h % 7 for h in range(48)]))
    w.take(every("2021-01-01", 40, HOUR, "pa", "humidity", [40.0 + h % 11 for h in range(40)]))
    return w


def test_barkjohn_corrects_each_hour_by_its_humidity() -> None:
    value = low_cost(BARKJOHN).value(AIR, "2021-01-01", "pm2_5")
    expected = [0.524 * (20 + h % 7) - 0.0862 * (40 + h % 11) + 5.75 for h in range(24)]
    assert value.value == pytest.approx(sum(expected) / 24, rel=1e-12)
    assert "calibrated: pa version 1" in value.notes


def test_an_hour_without_humidity_has_no_corrected_value() -> None:
    value = low_cost(BARKJOHN).value(AIR, "2021-01-02", "pm2_5")
    assert value.value is None  # 16 of 24 hours
    assert value.coverage == pytest.approx(16 / 24)


def test_the_newest_entry_that_is_valid_counts_and_earlier_hours_are_raw() -> None:
    w = low_cost({"quantity": "pm2_5", "valid_from": "2021-01-01T12:00:00Z", "gain": 2.0, "version": 3})
    expected = [(20 + h % 7) * (2 if h >= 12 else 1) for h in range(24)]
    assert w.value(AIR, "2021-01-01", "pm2_5").value == pytest.approx(sum(expected) / 24)
    assert "version 3" in w.value(AIR, "2021-01-01", "pm2_5").notes


def test_late_humidity_corrects_what_was_without() -> None:
    w = low_cost(BARKJOHN)
    w.values("2021-01-02")
    w.take(every("2021-01-02T16:00", 8, HOUR, "pa", "humidity", [50.0] * 8))
    changed = {v.period for v in w.engine.evaluate(at("2021-02-01")) if v.code == AIR and v.part == "pm2_5"}
    assert "2021-01-02" in changed
    assert w.value(AIR, "2021-01-02", "pm2_5").coverage == 1.0


@settings(deadline=None)
@given(st.floats(0.2, 3), st.floats(-10, 10), st.floats(-0.2, 0.2), st.integers(0, 1000))
def test_a_fit_finds_the_line_that_made_the_readings(
    gain: float, offset: float, per_humidity: float, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    raw, humidity = chance.uniform(0, 80, 200), chance.uniform(20, 95, 200)
    raw[:5] = np.nan
    found = fit(raw, gain * raw + offset + per_humidity * humidity, humidity)
    assert (found.gain, found.offset, found.humidity) == pytest.approx((gain, offset, per_humidity), abs=1e-8)
    assert found.n == 195


def test_a_fit_needs_a_day_of_pairs_that_differ() -> None:
    with pytest.raises(ValueError, match="at least 24"):
        fit(np.arange(20.0), np.arange(20.0))
    with pytest.raises(ValueError, match="do not differ"):
        fit(np.ones(30), np.arange(30.0))
