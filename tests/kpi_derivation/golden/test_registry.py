"""KPIs that come from the registry and the city file alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kpi_derivation.golden.world import World

WATER = {"id": "w", "kind": "water_meter", "quantities": ["water_total"]}
METER: dict[str, Any] = {"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"]}

# code, keys of [city], expected %. Published: Karmoy 2020 p14 (27.27, 9.98); the keys are chosen to give them.
GIVEN = [
    ("EC:I:ES:3C", {"households_with_electricity": 985, "households": 1000}, 98.5),
    ("EC:ICT:ES:2A", {"electricity_monitored_km": 30, "electricity_network_km": 120}, 25.0),
    ("EC:ICT:WS:2A", {"water_monitored_km": 49.9, "water_network_km": 500}, 9.98),
    ("EC:I:T:8A", {"low_carbon_vehicles": 12, "passenger_vehicles": 96}, 12.5),
    ("EC:ICT:ES:3A", {"demand_response_customers": 5, "electricity_customers": 40}, 12.5),
]


@pytest.mark.parametrize(("code", "keys", "percent"), GIVEN)
def test_a_share_of_two_figures_of_the_city_file(code: str, keys: dict[str, Any], percent: float) -> None:
    value = World([], **keys).value(code, "2020")
    assert value.value == pytest.approx(percent, rel=1e-12)
    assert value.status == "final"


@pytest.mark.parametrize(("code", "keys"), [(code, keys) for code, keys, _ in GIVEN])
def test_each_missing_figure_is_named(code: str, keys: dict[str, Any]) -> None:
    for key in keys:
        value = World([], **{k: v for k, v in keys.items() if k != key}).value(code, "2020")
        assert (value.value, value.status) == (None, "insufficient")
        assert key in value.notes


def test_smart_water_meters_are_the_customers_smart_meters() -> None:
    plain: list[dict[str, Any]] = [{**WATER, "id": f"w{i}"} for i in range(3)]
    odd: list[dict[str, Any]] = [{**WATER, "id": "old", "smart": False}, {**WATER, "id": "main", "role": "supply"}]
    value = World(plain + odd, water_meters=11).value("EC:ICT:WS:1C", "2020")
    assert value.value == pytest.approx(27.272727272727, rel=1e-12)  # 27.27 %: Karmoy 2020 p14
    assert "water_meters" in World(plain).value("EC:ICT:WS:1C", "2020").notes


def test_demand_response_counts_the_customers_behind_the_devices_that_can() -> None:
    devices = [{**METER, "demand_response": True, "customers": 30}, {**METER, "id": "n"}]
    assert World(devices, electricity_customers=120).value("EC:ICT:ES:3A", "2020").value == 25.0
    assert "demand_response" in World([METER], electricity_customers=120).value("EC:ICT:ES:3A", "2020").notes


def test_more_than_all_is_said() -> None:
    value = World([], low_carbon_vehicles=11, passenger_vehicles=10).value("EC:I:T:8A", "2020")
    assert value.value == pytest.approx(110.0)
    assert "more than" in value.notes
