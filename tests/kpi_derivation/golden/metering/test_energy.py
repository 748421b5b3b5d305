"""Energy, heat, water and emissions: cases worked by hand from the definitions, and laws for any readings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.windows import HOUR
from tests.kpi_derivation.golden.world import Reading, World, at, every

DAYS = 30  # June 2020


def register(device: str, quantity: str, start: float, step: float) -> list[Reading]:
    """Hourly registers of June 2020, and the first of July, which closes the last hour."""
    return every("2020-06-01", DAYS * 24, HOUR, device, quantity, (start + step * i for i in range(DAYS * 24)))


def meter(name: str, *quantities: str, kind: str = "electricity_meter", **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "quantities": list(quantities), "interval_s": 3600, **more}


HOURS = DAYS * 24 - 1  # steps between the first and the last register


def test_emissions_are_energy_times_the_factor_of_the_year() -> None:
    w = World([meter("m", "energy_total")], population=1000, emission_factors={"2020": 0.2, "2021": 0.1},
              emission_factor_kg_per_kwh=0.5)  # fmt: skip
    w.take(register("m", "energy_total", 10, 2.0))
    value = w.value("EN:EN:AQ:2C", "2020-06")
    assert value.value == pytest.approx(2.0 * HOURS * 0.2 / 1000 / 1000, rel=1e-12)
    assert "partial" in value.notes
    assert "0.2 kg/kWh of 2020" in value.notes


def test_emissions_without_a_factor_name_the_key() -> None:
    w = World([meter("m", "energy_total")], population=1000)
    w.take(register("m", "energy_total", 10, 2.0))
    value = w.value("EN:EN:AQ:2C", "2020-06")
    assert value.value is None
    assert "emission_factor_kg_per_kwh" in value.notes


def test_charging_counts_in_the_emissions_once() -> None:
    devices = [meter("m", "energy_total"), {"id": "c", "kind": "ev_charger", "quantities": ["session_energy"]}]
    session = Reading(at("2020-06-03T10:00"), "c", "session_energy", 500.0, 7)
    for behind, energy in ((True, 2.0 * HOURS), (False, 2.0 * HOURS + 500)):
        w = World(devices, {"charging_behind_meters": behind}, population=1, emission_factor_kg_per_kwh=1)
        w.take([*register("m", "energy_total", 10, 2.0), session])
        assert w.value("EN:EN:AQ:2C", "2020-06").value == pytest.approx(energy / 1000, rel=1e-12)


def test_own_generation_is_renewable_and_part_of_what_is_used() -> None:
    devices = [meter("m", "energy_total", "energy_export_total"), meter("pv", "energy_total", role="generation")]
    w = World(devices, renewable_grid_share=0.4)
    w.take(register("m", "energy_total", 5, 3.0))
    w.take(register("m", "energy_export_total", 1, 0.5) + register("pv", "energy_total", 1, 1.5))
    assert w.value("LOCAL:E:SELF_CONSUMPTION", "2020-06").value == pytest.approx(100 * 1.0 / 1.5)
    assert w.value("EN:E:E:1C", "2020-06").value == pytest.approx(100 * (1.0 + 0.4 * 3.0) / 4.0)
    assert w.value("LOCAL:E:METERED", "2020-06").value == pytest.approx(3.0 * HOURS)


def test_residential_heat_is_gigajoules_of_homes() -> None:
    devices = [meter("h", "heat_total", kind="heat_meter"),
               meter("hall", "heat_total", kind="heat_meter", role="public_building")]  # fmt: skip
    w = World(devices, population=10)
    w.take(register("h", "heat_total", 5, 1.0) + register("hall", "heat_total", 5, 7.0))
    assert w.value("EN:E:E:3C", "2020-06").value == pytest.approx(HOURS * 0.0036 / 10)


def test_public_buildings_add_their_carriers_over_their_floor() -> None:
    devices = [meter("h", "heat_total", kind="heat_meter", role="public_building"), meter("home", "energy_total"),
               meter("m", "energy_total", role="public_building")]  # fmt: skip
    w = World(devices, public_building_area_m2=200)
    for name, quantity, step in (("h", "heat_total", 2.0), ("m", "energy_total", 3.0), ("home", "energy_total", 9.0)):
        w.take(register(name, quantity, 1, step))
    assert w.value("EN:E:E:4A", "2020-06").value == pytest.approx(HOURS * 5 / 200)
    assert "public_building_area_m2" in _without("public_building_area_m2", devices)


def _without(key: str, devices: list[dict[str, Any]]) -> str:
    w = World(devices)
    for d in devices:
        w.take(register(d["id"], d["quantities"][0], 1, 1.0))
    return w.value("EN:E:E:4A", "2020-06").notes


def _water(**city: Any) -> World:
    devices = [meter("main", "water_total", kind="water_meter", role="supply"),
               *(meter(f"w{i}", "water_total", kind="water_meter") for i in range(2))]  # fmt: skip
    w = World(devices, **city)
    w.take(register("main", "water_total", 9, 4.8) + register("w0", "water_total", 9, 1.1))
    w.take(register("w1", "water_total", 9, 2.0))
    return w


def test_water_loss_is_what_was_supplied_and_not_billed() -> None:
    assert _water(water_meters=2).value("EC:I:WS:3C", "2020-06").value == pytest.approx(100 * 1.7 / 4.8)  # 35.42 %


def test_unread_customers_are_no_loss() -> None:
    value = _water(water_meters=3).value("EC:I:WS:3C", "2020-06")
    assert value.value is None
    assert "2 of 3" in value.notes
    assert "water_meters" in _water().value("EC:I:WS:3C", "2020-06").notes


def test_water_use_is_litres_a_day_and_inhabitant() -> None:
    value = _water(water_meters=2, population=500).value("EN:EN:WS:2C", "2020-06")
    assert value.value == pytest.approx(1000 * 3.1 * HOURS / DAYS / 500)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 50), min_size=24, max_size=72), st.integers(0, 2**31))
def test_emissions_follow_population_factor_and_energy_in_proportion(steps: list[float], seed: int) -> None:
    """Twice the factor is twice the emissions, twice the people half of them."""

    def emissions(population: float, factor: float) -> float:
        w = World([meter("m", "energy_delta")], {"period_capture": 0.0}, population=population,
                  emission_factor_kg_per_kwh=factor)  # fmt: skip
        w.take(every("2020-06-01", len(steps), HOUR, "m", "energy_delta", steps))
        return w.value("EN:EN:AQ:2C", "2020-06").value or 0.0

    people, factor = 1.0 + seed % 1000, 0.1 + seed % 7
    base = emissions(people, factor)
    assert emissions(people, 2 * factor) == pytest.approx(2 * base)
    assert emissions(2 * people, factor) == pytest.approx(base / 2)
    assert base == pytest.approx(sum(steps) * factor / 1000 / people)
