"""A changed city file: which values are derived otherwise, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from kpi_derivation.engine.changes import affected
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.windows import HOUR
from tests.kpi_derivation.golden.world import World, every

DEVICES: list[dict[str, Any]] = [
    {"id": "m", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600},
    {"id": "s", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600},
    {"id": "c", "kind": "ev_charger", "quantities": ["session_energy"]},
    {"id": "n", "kind": "noise", "quantities": ["laeq"], "interval_s": 3600, "population": 10},
    {"id": "w", "kind": "water_meter", "quantities": ["water_total"], "interval_s": 3600},
]
CITY = {"population": 1000.0, "emission_factor_kg_per_kwh": 0.2, "electricity_customers": 40.0}


def values(devices: list[dict[str, Any]], rules: dict[str, Any], city: dict[str, Any]) -> tuple[World, list[KpiValue]]:
    w = World(devices, rules, **city)
    for device, quantity in (("m", "energy_delta"), ("s", "no2"), ("n", "laeq"), ("w", "water_total")):
        w.take(every("2020-01-01", 24, HOUR, device, quantity, [40.0 + i for i in range(24)]))
    w.take(every("2020-01-01", 1, HOUR, "c", "session_energy", [20.0]))
    return w, list(w.values("2020-01-01").values())


CHANGES: list[tuple[str, list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = [
    ("population", DEVICES, {}, {**CITY, "population": 1100.0}),
    ("emission_factor_kg_per_kwh", DEVICES, {}, {**CITY, "emission_factor_kg_per_kwh": 0.3}),
    ("noise_limit_lden", DEVICES, {"noise_limit_lden": 80.0}, CITY),
    ("calibration", [DEVICES[0], {**DEVICES[1], "calibration": [{"quantity": "no2", "valid_from": "2020-01-01",
                                                                 "gain": 1.1}]}, *DEVICES[2:]], {}, CITY),
]  # fmt: skip


@pytest.mark.parametrize(("key", "devices", "rules", "city"), CHANGES, ids=[c[0] for c in CHANGES])
def test_only_what_is_said_to_depend_on_a_change_comes_out_otherwise(
    key: str, devices: list[dict[str, Any]], rules: dict[str, Any], city: dict[str, Any]
) -> None:
    (old, before), (new, after) = values(DEVICES, {}, CITY), values(devices, rules, city)
    differ = {a.code for a, b in zip(before, after, strict=True) if a != b}
    concerned = affected(old.city, new.city, old.engine.record)
    assert differ
    assert differ <= concerned.keys()
    assert all(key in why for why in concerned.values())
    assert len(concerned) < 10


def test_nothing_changed_concerns_nothing() -> None:
    w, _ = values(DEVICES, {}, CITY)
    assert affected(w.city, w.city, w.engine.record) == {}
    larger = City.model_validate({**w.city.model_dump(), "city": {**w.city.city.model_dump(), "population": 1100.0}})
    assert "population 1000 -> 1100" in affected(w.city, larger, w.engine.record)["EN:E:E:2C"]
