"""Air quality: exceedance days of Aberdeen, indices by EPA and EEA, and what is said of stations."""

from __future__ import annotations

import math
import random
import re
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_derivation.engine.families.air import running_means
from kpi_derivation.rules.air.indices import US, Scale, aqi, european_band, nowcast
from telemetry.windows import HOUR, MINUTE
from tests.kpi_derivation.golden.aberdeen import world
from tests.kpi_derivation.golden.shared import table, vectors
from tests.kpi_derivation.golden.world import World, every

# Breakpoints of other years, which the vectors of the reference were made with.
OLD = {
    "pm25": Scale((12.0, 35.4, 55.4, 150.4, 250.4, 350.4, 500.4), 0.1, 1.0, (50, 100, 150, 200, 300, 400, 500)),
    "o3": Scale((0.059, 0.075, 0.095, 0.115, 0.374), 0.001, 1.0, (50, 100, 150, 200, 300)),
    "o3 1 h": Scale((0.164, 0.204, 0.404, 0.504, 0.604), 0.001, 1.0, (150, 200, 300, 400, 500), (0.125, 101)),
    "co": Scale((4.4, 9.4, 12.4, 15.4, 30.4, 40.4, 50.4), 0.1, 1.0, (50, 100, 150, 200, 300, 400, 500)),
}


@pytest.mark.parametrize("number", range(11))
def test_the_points_of_the_us_index(number: int) -> None:
    row = table("aqi_points")[number]
    scale = OLD[f"{row['pollutant']} 1 h" if row["averaging"] == "1 h" else row["pollutant"]]
    assert aqi(float(row["concentration"]), scale) == float(row["aqi"])


@pytest.mark.parametrize("number", range(3))
def test_nowcast_as_the_agency_works_it_out(number: int) -> None:
    row = table("nowcast_aqi")[number]
    hours = [math.nan if c == "-" else float(c) for c in row["hours_newest_first"].split()]
    value = nowcast(hours)
    assert value == pytest.approx(float(row["nowcast"]), rel=1e-12)
    if row["aqi_breakpoints_2024"]:
        assert aqi(value, US["pm2_5"]) == float(row["aqi_breakpoints_2024"])
        assert aqi(value, OLD["pm25"]) == float(row["aqi_breakpoints_before_2024"])


def test_nowcast_needs_two_of_the_newest_three_hours() -> None:
    hours = [math.nan if c is None else float(c) for c in vectors("epa_nowcast")[0]["c"]]
    assert math.isnan(nowcast([math.nan, math.nan, *hours[2:]]))
    assert nowcast([0.0] * 12) == 0.0


def test_the_last_row_of_pm2_5_ends_at_500() -> None:
    """Sources differ; this is EPA's AQS table."""
    assert (aqi(325.4, US["pm2_5"]), aqi(225.5, US["pm2_5"]), aqi(9999.0, US["pm2_5"])) == (500, 301, 500)


@given(st.sampled_from(sorted(US)), st.floats(0, 3000), st.floats(0, 3000))
def test_more_is_never_a_lower_index(quantity: str, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert aqi(low, US[quantity]) <= aqi(high, US[quantity])
    assert european_band(quantity, low) <= european_band(quantity, high)


@given(st.lists(st.floats(0, 500), min_size=12, max_size=12))
def test_nowcast_lies_between_the_lowest_and_the_highest_hour(hours: list[float]) -> None:
    assert min(hours) - 1e-9 <= nowcast(hours) <= max(hours) + 1e-9


@given(st.lists(st.one_of(st.floats(-5, 300), st.just(math.nan)), min_size=32, max_size=32))
def test_eight_hour_means_are_over_six_hours_or_more(hours: list[float]) -> None:
    found = running_means(np.array([hours]))[0]
    for i, value in enumerate(found.tolist()):
        there = [h for h in hours[i : i + 8] if not math.isnan(h)]
        assert math.isnan(value) if len(there) < 6 else value == pytest.approx(sum(there) / len(there))


# code and part -> quantity and column of the expected file
DAYS = {
    ("LOCAL:AQ:EU_DAYS", "pm10"): ("pm10", "days_gt_50"),
    ("LOCAL:AQ:WHO_DAYS", "pm10"): ("pm10", "days_gt_45"),
    ("LOCAL:AQ:WHO_DAYS", "o3"): ("o3", "days_max8h_gt_100"),
    ("LOCAL:AQ:EU_DAYS", "no2_hours"): ("no2", "hours_gt_200"),
}


@pytest.mark.parametrize("key", DAYS, ids=" ".join)
def test_the_exceedances_of_each_station_of_aberdeen(key: tuple[str, str]) -> None:
    quantity, column = DAYS[key]
    value = world().value(key[0], "2018", key[1])
    # Stations with 75 % of the days; the expected file has all of them.
    rows = {r["station"]: r for r in table("aberdeen_2018") if r["quantity"] == quantity}
    expected = {name: float(r[column]) for name, r in rows.items() if float(r["valid_days"]) >= 0.75 * 365}
    said = dict(re.findall(r"([a-z0-9-]+) (\d+)(?:,|$)", value.notes.split("ug/m3: ")[1].split(";")[0]))
    found = {name: float(k) for name, k in said.items()}
    assert {n: k for n, k in expected.items() if quantity != "no2"}.items() <= found.items()
    assert value.value == max(expected.values())


def test_the_day_means_of_aberdeen() -> None:
    world().value("EN:EN:AQ:1C", "2018", "pm10")  # settles the days
    days = world().engine._days
    first = date(2018, 1, 1).toordinal()
    for row in table("aberdeen_2018"):
        found = days.daily([row["station"]], row["quantity"], first, first + 364)
        with np.errstate(invalid="ignore"):
            means = np.where(found["hours"] >= 18, found["hour_sum"] / found["hours"], np.nan)
        assert int((~np.isnan(means)).sum()) == int(row["valid_days"])
        assert float(np.nanmax(means)) == pytest.approx(float(row["max_day_mean"]), abs=5e-4)
        assert float(np.nanmax(found["max1"])) == float(row["max_hour"])


def test_a_day_has_an_index_of_each_kind() -> None:
    us, eu = world().value("LOCAL:AQ:USAQI", "2018-07-01"), world().value("LOCAL:AQ:EAQI", "2018-07-01")
    assert (us.value or 0) > 0
    assert eu.value in {1, 2, 3, 4, 5, 6}


def test_the_newest_hours_make_the_rolling_index() -> None:
    hours = [50, 80, 75, 90, 82, 53, 64, 74, 21, 10, 16, 13]  # oldest first; NowCast 17.4, index 66
    w = World([{"id": "s", "kind": "air_reference", "quantities": ["pm2_5"], "interval_s": 3600}])
    w.take(every("2024-03-01T00:00", 12, HOUR, "s", "pm2_5", hours))
    now = w.readings.t.max() + HOUR + 6 * MINUTE  # the last full hour, and what was on its way
    found = {(v.code, v.kind): v for v in w.engine.evaluate(int(now))}
    assert found["LOCAL:AQ:USAQI", "24h"].value == 66
    assert found["LOCAL:AQ:EAQI", "24h"].value == 2  # the newest hour, 13 µg/m³


def test_stations_can_be_weighted_by_the_people_they_stand_for() -> None:
    stations = [{"id": f"s{i}", "kind": "air_reference", "quantities": ["no2"], "population": p, "interval_s": 3600}
                for i, p in enumerate((1000, 3000))]  # fmt: skip
    for rule, expected in ((False, 20.0), (True, 25.0)):
        w = World(stations, {"population_weighted_air": rule})
        for device, level in (("s0", 10.0), ("s1", 30.0)):
            w.take(every("2020-01-01", 24, HOUR, device, "no2", [level] * 24))
        assert w.value("EN:EN:AQ:1C", "2020-01-01", "no2").value == pytest.approx(expected)
    bare = [{k: v for k, v in s.items() if k != "population"} for s in stations]
    w = World(bare, {"population_weighted_air": True})
    w.take(every("2020-01-01", 24, HOUR, "s0", "no2", [1.0] * 24))
    assert "population" in w.value("EN:EN:AQ:1C", "2020-01-01", "no2").notes


def street(ppb: list[float], gas: str, **more: Any) -> World:
    """A station at a street that measures ppb, as the gateway stores them: by the publisher's factor."""
    w = World([{"id": "s", "kind": "air_reference", "quantities": [gas], "interval_s": 3600, **more}])
    publisher = {"no2": 1.9, "o3": 1.96}[gas]
    w.take(every("2003-01-01", len(ppb), HOUR, "s", gas, [publisher * v for v in ppb]))
    return w


def test_hours_over_the_eu_limit_are_counted_with_the_eus_own_conversion() -> None:
    """8,760 hours of a street; the rule is 1.9125 ug/m3 a ppb (20 degrees C), the publisher's factor 1.9."""
    chance = random.Random(2003)
    ppb = [chance.lognormvariate(4.2, 0.35) for _ in range(8760)]
    over = [sum(v * factor > 200.0 for v in ppb) for factor in (1.9125, 1.9)]
    assert over[0] > 1.02 * over[1]
    by_volume, by_mass = street(ppb, "no2", in_ppb=["no2"]), street(ppb, "no2")
    assert by_volume.value("LOCAL:AQ:EU_DAYS", "2003", "no2_hours").value == over[0]
    assert by_mass.value("LOCAL:AQ:EU_DAYS", "2003", "no2_hours").value == over[1]
    mean = 1.9 * sum(ppb) / len(ppb)  # what is submitted is the publisher's
    assert by_volume.value("EN:EN:AQ:1C", "2003", "no2").value == pytest.approx(mean, rel=1e-12)


def test_indices_and_days_of_gases_by_volume_are_at_the_temperature_of_their_own_rule() -> None:
    """53.6 ppb of NO2 are cut to 53, an index of 50; by mass 1.9 / 1.8804 * 53.6 = 54.2 ppb, 51."""
    steady = street([53.6] * 48, "no2", in_ppb=["no2"])
    assert steady.value("LOCAL:AQ:USAQI", "2003-01-01").value == 50.0
    assert street([53.6] * 48, "no2").value("LOCAL:AQ:USAQI", "2003-01-01").value == 51.0
    # 13.2 ppb: 25.08 ug/m3 by the publisher, 24.82 at 25 degrees C (WHO's limit is 25), 25.25 at 20 (EU's band: 25)
    low = street([13.2] * 48, "no2", in_ppb=["no2"])
    assert low.value("LOCAL:AQ:WHO_DAYS", "2003-01-01", "no2").value == 0.0
    assert street([13.2] * 48, "no2").value("LOCAL:AQ:WHO_DAYS", "2003-01-01", "no2").value == 1.0
    assert low.value("LOCAL:AQ:EAQI", "2003-01-01").value == 3.0
    assert street([13.1] * 48, "no2").value("LOCAL:AQ:EAQI", "2003-01-01").value == 2.0
    assert street([13.1] * 48, "no2", in_ppb=["no2"]).value("LOCAL:AQ:EAQI", "2003-01-01").value == 3.0
