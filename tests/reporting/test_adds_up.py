"""Every value's proof adds up: of all KPIs, in six states of a scripted city, and of cities made by chance."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from kpi_derivation.engine.view import View
from registry.city import Device
from reporting.proof.explain import Explainer
from telemetry.periods import parse_period
from telemetry.windows import DAY
from tests.kpi_derivation.golden.world import Reading, World
from tests.reporting.adds_up import all_faults
from tools.kpi_states import CITY, DEVICES, END, START, readings

NOW = END + 400 * DAY


class Nothing:
    """A store without stored values."""

    def kpis(self, query: Any) -> list[Any]:
        return []


def explainer(world: World) -> Explainer:
    """The explainer of a city in memory."""
    world.engine.evaluate(NOW)
    made = Explainer.__new__(Explainer)
    made._kept = None
    made.city, made._store, made._now, made._engine = world.city, Nothing(), NOW, world.engine  # type: ignore[assignment]
    return made


@cache
def scripted(factor: float) -> World:
    """The scripted city; nobody changes it."""
    world = World(DEVICES, {}, **CITY)
    world.take(readings(factor))
    return world


@pytest.mark.parametrize("factor", [1.0, 0.0])
@pytest.mark.parametrize("label", ["2023", "2024", "2021", "2023-03", "2023-03-05", "2030"])
def test_the_scripted_city(factor: float, label: str) -> None:
    world = scripted(factor)
    assert all_faults(explainer(world), world.city, parse_period(label, world.city.zone)) == {}


@pytest.mark.parametrize("seed", range(3))
def test_cities_made_by_chance(seed: int) -> None:
    """Devices that miss days, are silent, start late, are of another kind or role, or send a second quantity."""
    chance = random.Random(seed)
    devices = [dict(d) for d in DEVICES if chance.random() < 0.8]
    devices += [{**d, "id": f"{d['id']}-2"} for d in devices if chance.random() < 0.5]
    for d in devices:
        if d["kind"] == "air_reference" and chance.random() < 0.4:
            d["kind"] = "air_lowcost"
        if d["kind"] == "electricity_meter" and chance.random() < 0.3:
            d["role"] = chance.choice(["generation", "public_building", "residential"])
    gone = {d["id"]: chance.choice([0.0, 0.1, 0.9, 1.0]) for d in devices}
    rules = {"mixed_air_kinds": chance.random() < 0.3, "charging_behind_meters": chance.random() < 0.5}
    world = World(devices, rules, **CITY)
    hours = {(d["id"], day) for d in devices for day in range(31) if chance.random() < gone[d["id"]]}
    mine = {str(d["id"]) for d in devices}
    rows = [r for r in readings(1.0) if r.time < START + 31 * DAY]
    rows += [Reading(r.time, f"{r.device}-2", r.quantity, r.value) for r in rows]
    world.take(r for r in rows if r.device in mine and (r.device, (r.time - START) // DAY) not in hours)
    made = explainer(world)
    for label in ("2023-01", "2023-01-15", "2023"):
        assert all_faults(made, world.city, parse_period(label, world.city.zone)) == {}


def test_a_wrong_list_of_devices_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The property sees a derivation that counts a meter it does not add."""
    plain = View.mark

    def too_many(self: View, devices: list[Device], counts: Any, part: str = "") -> None:
        plain(self, devices, [True] * len(devices), part)

    monkeypatch.setattr(View, "mark", too_many)
    world = scripted(1.0)
    found = all_faults(explainer(world), world.city, parse_period("2023", world.city.zone))
    assert "2 devices count, listed are ['hall', 'sun', 'use']" in found["LOCAL:E:METERED  2023"]
