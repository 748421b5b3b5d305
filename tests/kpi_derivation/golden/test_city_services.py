"""Water, waste, antennas and traffic: each value against arithmetic on the readings, written out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.windows import HOUR
from tests.kpi_derivation.golden.world import Reading, World, every

DAY_H = 24


def device(name: str, kind: str, *quantities: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "quantities": list(quantities), "interval_s": 3600, **more}


def hourly(name: str, quantity: str, values: list[float], start: str = "2020-01-06") -> list[Reading]:
    return list(every(start, len(values), HOUR, name, quantity, values))


def register(name: str, per_hour: float, hours: int, first: float = 100.0) -> list[Reading]:
    return hourly(name, "water_total", [first + per_hour * i for i in range(hours + 1)])


# --- drinking water


def test_drinking_water_counts_the_samples_within_the_limits() -> None:
    w = World([device("p", "water_quality", "turbidity", "ph"), device("q", "water_quality", "free_chlorine")])
    w.take(hourly("p", "turbidity", [0.4] * 18 + [1.0] * 2 + [1.2] * 4))  # 1.0 still complies: 20 of 24
    w.take(hourly("p", "ph", [7.2] * 23 + [9.6]))  # 23 of 24
    w.take(hourly("q", "free_chlorine", [0.1] * 6 + [0.3] * 18))  # 18 of 24
    value = w.value("EN:EN:WS:1C", "2020-01-06")
    assert value.value == pytest.approx(100 * (20 + 23 + 18) / 72, rel=1e-12)
    assert (value.n_devices, value.coverage) == (2, 1.0)
    assert "(partial" in value.method
    assert "turbidity 4 of 24 samples outside the limits" in value.notes


def test_drinking_water_without_enough_samples_has_no_value() -> None:
    w = World([device("p", "water_quality", "ph")])
    w.take(hourly("p", "ph", [7.0] * 10))
    value = w.value("EN:EN:WS:1C", "2020-01-06")
    assert value.value is None
    assert value.reason == "low_coverage"
    assert World([device("m", "water_meter", "water_total")]).value("EN:EN:WS:1C", "2020-01-06").reason == "no_device"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 14.0), min_size=24, max_size=24))
def test_the_share_of_complying_samples_is_that_of_a_count(values: list[float]) -> None:
    w = World([device("p", "water_quality", "ph")])
    w.take(hourly("p", "ph", values))
    good = sum(6.5 <= v <= 9.5 for v in values)
    assert w.value("EN:EN:WS:1C", "2020-01-06").value == pytest.approx(100 * good / 24, rel=1e-12)


# --- freshwater and wastewater


def test_freshwater_is_measured_against_the_resource_of_the_time() -> None:
    w = World([device("a", "water_abstraction", "water_total"), device("b", "water_abstraction", "water_total")],
              available_freshwater_m3_per_year=366_000.0)  # fmt: skip
    w.take(register("a", 5.0, 72))
    w.take(register("b", 2.5, 72))
    value = w.value("EN:EN:WS:3C", "2020-01-07")
    # A day of the leap year 2020 has 366,000 / 366 = 1,000 m3; abstracted are 24 * 7.5.
    assert value.value == pytest.approx(18.0, rel=1e-9)
    without = World([device("a", "water_abstraction", "water_total")])
    without.take(register("a", 5.0, 72))
    assert without.value("EN:EN:WS:3C", "2020-01-07").reason == "missing_setting"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=4), st.floats(1.0, 1e9))
def test_freshwater_is_the_sum_of_the_meters_and_falls_with_the_resource(flows: list[float], resource: float) -> None:
    """Of two cities with the same wells, one with twice the resource: half the share; a well more never lowers it."""

    def share(count: int, available: float) -> float:
        wells = [f"w{i}" for i in range(count)]
        w = World([device(n, "water_abstraction", "water_total") for n in wells],
                  available_freshwater_m3_per_year=available)  # fmt: skip
        for name, flow in zip(wells, flows, strict=False):
            w.take(register(name, flow, 48))
        value = w.value("EN:EN:WS:3C", "2020-01-07").value
        assert value is not None
        return value

    whole = share(len(flows), resource)
    assert whole == pytest.approx(100 * 24 * sum(flows) / (resource / 366), rel=1e-6)
    assert share(len(flows), 2 * resource) == pytest.approx(whole / 2, rel=1e-9)
    if len(flows) > 1:
        assert share(len(flows) - 1, resource) < whole


PLANT = [
    device("in", "wastewater_meter", "water_total", role="collected"),
    device("one", "wastewater_meter", "water_total", role="primary"),
    device("two", "wastewater_meter", "water_total", role="secondary"),
    device("home", "water_meter", "water_total"),
]


def plant() -> World:
    w = World(PLANT, water_meters=1.0)
    for name, flow in (("in", 8.0), ("one", 7.6), ("two", 6.0), ("home", 10.0)):
        w.take(register(name, flow, 72))
    return w


def test_wastewater_is_treated_by_stage() -> None:
    w = plant()
    assert w.value("EN:EN:WS:4C", "2020-01-07", "primary").value == pytest.approx(95.0, rel=1e-9)
    assert w.value("EN:EN:WS:4C", "2020-01-07", "secondary").value == pytest.approx(75.0, rel=1e-9)
    third = w.value("EN:EN:WS:4C", "2020-01-07", "tertiary")
    assert (third.value, third.reason) == (None, "no_device")


def test_wastewater_collected_is_a_part_of_the_water_billed_and_the_plants_are_no_customers() -> None:
    w = plant()
    value = w.value("EC:I:WS:4C", "2020-01-07")
    assert value.value == pytest.approx(80.0, rel=1e-9)
    assert "(partial" in value.method


@settings(max_examples=15, deadline=None)
@given(st.floats(0.5, 1.0), st.floats(0.0, 1.0))
def test_a_stage_behind_another_never_treats_more(first: float, second: float) -> None:
    w = World(PLANT, water_meters=1.0)
    flows = {"in": 8.0, "one": 8.0 * first, "two": 8.0 * first * second, "home": 10.0}
    for name, flow in flows.items():
        w.take(register(name, flow, 48))
    primary, secondary = (w.value("EN:EN:WS:4C", "2020-01-07", s).value for s in ("primary", "secondary"))
    assert primary is not None
    assert secondary is not None
    assert secondary <= primary + 1e-9


# --- waste


def waste(**masses: list[float]) -> World:
    names = {name.replace("_", " "): values for name, values in masses.items()}
    w = World([device(n.replace(" ", "-"), "weighbridge", "waste_mass", role=n) for n in names])
    for n, values in names.items():
        w.take(every("2020-01-01", len(values), DAY_H * HOUR, n.replace(" ", "-"), "waste_mass", values))
    return w


def test_waste_is_shared_by_mass() -> None:
    w = waste(landfill=[2.0] * 31, recycled=[5.0] * 31, open_dump=[1.0] * 31)
    shares = {p: w.value("EN:EN:WA:1C", "2020-01", p).value for p in ("landfill", "recycled", "open dump")}
    assert shares == {
        "landfill": pytest.approx(25.0),
        "recycled": pytest.approx(62.5),
        "open dump": pytest.approx(12.5),
    }
    burnt = w.value("EN:EN:WA:1C", "2020-01", "burnt")
    assert (burnt.value, burnt.reason) == (None, "no_device")


def test_waste_of_some_days_is_not_that_of_the_month() -> None:
    value = waste(landfill=[2.0] * 5).value("EN:EN:WA:1C", "2020-01", "landfill")
    assert value.value is None
    assert value.coverage == pytest.approx(5 / 31, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.0, 100.0), min_size=3, max_size=3))
def test_the_shares_of_waste_sum_to_100(masses: list[float]) -> None:
    w = waste(landfill=[masses[0]] * 31, recycled=[masses[1]] * 31, other=[masses[2] + 0.5] * 31)
    shares = [w.value("EN:EN:WA:1C", "2020-01", p).value or 0.0 for p in ("landfill", "recycled", "other")]
    assert sum(shares) == pytest.approx(100.0)


# --- antennas


def test_a_site_complies_by_its_highest_hour() -> None:
    probes = [device(f"s{i}", "emf_probe", "field_strength") for i in range(4)]
    w = World(probes, antenna_sites=4.0)
    for i, high in enumerate((2.0, 60.9, 61.0, 61.1)):
        w.take(hourly(f"s{i}", "field_strength", [1.0] * 23 + [high]))
    value = w.value("EN:EN:EQ:1C", "2020-01-06")
    assert (value.value, value.n_devices, value.status) == (75.0, 4, "final")
    assert "limit 61 V/m" in value.notes


def test_a_lower_national_limit_is_a_rule_and_unseen_sites_make_it_partial() -> None:
    w = World([device("s", "emf_probe", "field_strength")], {"emf_limit_v_per_m": 6.0}, antenna_sites=10.0)
    w.take(hourly("s", "field_strength", [6.5] * 24))
    value = w.value("EN:EN:EQ:1C", "2020-01-06")
    assert (value.value, value.status) == (0.0, "partial")
    assert value.coverage == pytest.approx(0.1)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=6), st.floats(1.0, 190.0))
def test_the_share_of_sites_is_a_count_and_never_falls_with_a_higher_limit(highs: list[float], limit: float) -> None:
    def share(allowed: float) -> float:
        probes = [device(f"s{i}", "emf_probe", "field_strength") for i in range(len(highs))]
        w = World(probes, {"emf_limit_v_per_m": allowed}, antenna_sites=float(len(highs)))
        for i, high in enumerate(highs):
            w.take(hourly(f"s{i}", "field_strength", [0.0] * 11 + [high] + [0.0] * 12))
        found = w.value("EN:EN:EQ:1C", "2020-01-06").value
        assert found is not None
        return found

    low = share(limit)
    assert low == pytest.approx(100 * sum(h <= limit for h in highs) / len(highs))
    assert low <= share(limit + 10.0)


# --- traffic


def test_a_silent_counter_watches_no_street() -> None:
    counters = [device(f"c{i}", "traffic_counter", "vehicles", street_km=km) for i, km in enumerate((3.0, 5.0, 2.0))]
    w = World(counters, major_streets_km=40.0)
    w.take(hourly("c0", "vehicles", [100.0] * 24))
    w.take(hourly("c1", "vehicles", [0.0] * 24))  # a street without traffic is watched
    w.take(hourly("c2", "vehicles", [100.0] * 6))
    value = w.value("EC:ICT:T:2C", "2020-01-06")
    assert value.value == pytest.approx(100 * 8 / 40)
    assert "too few counts: c2" in value.notes


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 20.0), st.integers(0, 24)), min_size=1, max_size=5))
def test_watched_streets_are_those_whose_counters_send_three_quarters_of_the_day(
    counters: list[tuple[float, int]],
) -> None:
    devices = [device(f"c{i}", "traffic_counter", "vehicles", street_km=km) for i, (km, _) in enumerate(counters)]
    w = World(devices, major_streets_km=100.0)
    for i, (_, hours) in enumerate(counters):
        w.take(hourly(f"c{i}", "vehicles", [5.0] * hours))
    found = w.value("EC:ICT:T:2C", "2020-01-06")
    watched = [km for km, hours in counters if hours >= 18]
    if watched:
        assert found.value == pytest.approx(sum(watched))
    else:
        assert (found.value, found.reason) == (None, "low_coverage" if any(h for _, h in counters) else "no_data")


def test_travel_time_in_the_peak_is_divided_by_that_in_free_flow() -> None:
    """January 2020 has 23 working days; at weekends nobody is in a peak."""
    w = World([device(n, "travel_time", "travel_time") for n in ("a", "b")], timezone="Europe/Oslo")
    hours = range(31 * 24)

    # UTC+1: the peak 07, 08, 16, 17 local is 6, 7, 15, 16 UTC; free flow 00-05 local is 23 to 4 UTC.
    def seconds(h: int, peak: float) -> float:
        return (
            peak
            if h % 24 in (6, 7, 15, 16) and (h // 24 + 2) % 7 < 5
            else 100.0
            if h % 24 in (23, 0, 1, 2, 3)
            else 500.0
        )

    w.take(hourly("a", "travel_time", [seconds(h, 150.0) for h in hours], "2020-01-01"))
    w.take(hourly("b", "travel_time", [seconds(h, 170.0) for h in hours], "2020-01-01"))
    assert w.value("EC:I:T:5A", "2020-01").value == pytest.approx((1.5 + 1.7) / 2, rel=1e-9)
    assert w.value("EC:I:T:5A", "2020-01-06").reason == "not_for_period"


@settings(max_examples=10, deadline=None)
@given(st.floats(10.0, 1000.0))
def test_a_constant_travel_time_has_the_index_one(seconds: float) -> None:
    w = World([device("a", "travel_time", "travel_time")])
    w.take(hourly("a", "travel_time", [seconds] * (31 * 24), "2020-01-01"))
    assert w.value("EC:I:T:5A", "2020-01").value == pytest.approx(1.0)


def test_low_carbon_and_electric_vehicles_are_shares_of_the_classified_ones() -> None:
    w = World([device("c", "traffic_counter", "vehicles_low_carbon", "vehicles_electric", "vehicles_classified")])
    for quantity, n in (("vehicles_low_carbon", 25.0), ("vehicles_electric", 10.0), ("vehicles_classified", 80.0)):
        w.take(hourly("c", quantity, [n] * 24))
    assert w.value("LOCAL:T:LOW_CARBON", "2020-01-06").value == pytest.approx(31.25)
    assert w.value("LOCAL:T:ELECTRIC", "2020-01-06").value == pytest.approx(12.5)


def test_a_counter_that_does_not_distinguish_electric_vehicles_gives_their_share_no_value() -> None:
    w = World([device("c", "traffic_counter", "vehicles_low_carbon", "vehicles_classified")])
    w.take(hourly("c", "vehicles_classified", [80.0] * 24))
    found = w.value("LOCAL:T:ELECTRIC", "2020-01-06")
    assert (found.value, found.status, found.reason) == (None, "not_applicable", "no_device")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=24, max_size=24),
    st.sampled_from([("LOCAL:T:LOW_CARBON", "vehicles_low_carbon"), ("LOCAL:T:ELECTRIC", "vehicles_electric")]),
)
def test_a_share_of_vehicles_is_a_ratio_of_sums_and_not_a_mean_of_ratios(
    hours: list[tuple[int, int]], share: tuple[str, str]
) -> None:
    code, quantity = share
    w = World([device("c", "traffic_counter", quantity, "vehicles_classified")])
    w.take(hourly("c", quantity, [float(low) for low, _ in hours]))
    w.take(hourly("c", "vehicles_classified", [float(low + other) for low, other in hours]))
    found = w.value(code, "2020-01-06")
    low, whole = sum(a for a, _ in hours), sum(a + b for a, b in hours)
    if whole:
        assert found.value == pytest.approx(100 * low / whole)
        assert 0.0 <= (found.value or 0.0) <= 100.0
    else:
        assert (found.value, found.reason) == (None, "undefined")


# --- devices that begin in the period, and why there is no value


def test_a_device_is_expected_only_while_it_is_in_service() -> None:
    w = World([device("p", "water_quality", "ph", since="2020-01-21"),
               device("c", "traffic_counter", "vehicles", street_km=4.0, since="2020-01-21"),
               device("s", "emf_probe", "field_strength", since="2020-01-21")],
              major_streets_km=40.0, antenna_sites=1.0)  # fmt: skip
    for name, quantity in (("p", "ph"), ("c", "vehicles"), ("s", "field_strength")):
        w.take(hourly(name, quantity, [7.0] * (11 * 24), "2020-01-21"))
    water, streets, sites = (w.value(code, "2020-01") for code in ("EN:EN:WS:1C", "EC:ICT:T:2C", "EN:EN:EQ:1C"))
    assert (water.value, water.coverage) == (100.0, 1.0)
    assert (streets.value, streets.coverage) == (10.0, 1.0)
    assert (sites.value, sites.coverage, sites.status, sites.reason) == (100.0, 1.0, "partial", "partial_period")


@pytest.mark.parametrize("code", ["EN:EN:EQ:1C", "EC:I:T:5A", "EC:ICT:T:2C", "LOCAL:T:LOW_CARBON", "EN:EN:WS:1C",
                                  "EN:EN:WS:3C", "EN:EN:WS:4C", "EC:I:WS:4C", "EN:EN:WA:1C",
                                  "LOCAL:T:ELECTRIC"])  # fmt: skip
def test_without_such_a_device_the_kpi_is_not_applicable(code: str) -> None:
    values = World([device("m", "electricity_meter", "energy_delta")]).values("2020-01")
    found = [v for (c, _), v in values.items() if c == code]
    assert {(v.value, v.status, v.reason) for v in found} == {(None, "not_applicable", "no_device")}
