"""A proof reads the hours of the series that its value is derived from, and is the same as one from all hours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from kpi_derivation.catalogue import DERIVATIONS, KPIS
from kpi_derivation.engine.view import Part, View
from registry.city import City
from reporting.proof.explain import Explainer, explain
from reporting.proof.text import as_text
from telemetry.partials import Partials
from telemetry.periods import parse_period
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import DAY, MINUTE
from tests.kpi_derivation.golden.world import Reading, World
from tests.reporting.test_adds_up import NOW, scripted
from tools.kpi_states import CITY, DEVICES, START, readings

LABELS = ("2023-03-05", "2023-01-15", "2023-01", "2023-Q1", "2023", "2024", "2021")


class Counted(SqliteStore):
    """A store that counts the hours it gives, by quantity."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.hours: dict[str, int] = {}

    def partials(
        self, city: str, level: Any, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        for chunk in super().partials(city, level, start, end, table, series):
            for number, count in zip(*np.unique(chunk.series, return_counts=True), strict=True):
                quantity = table[int(number)].quantity
                self.hours[quantity] = self.hours.get(quantity, 0) + int(count)
            yield chunk


def stored(world: World, path: Path) -> Counted:
    """The city of a world in a store."""
    store = Counted(path)
    config = world.city.model_dump(mode="json", exclude_defaults=True)
    store.put_city(CityRecord(world.city.id, config, MINUTE))
    for level in ("window", "hour"):
        store.put_partials(level, world.memory.levels[level], world.table)
    return store


def proofs(made: Explainer, code: str, city: City, label: str) -> list[str]:
    """All of it, as text and as JSON."""
    found = made.proofs(code, parse_period(label, city.zone))
    return [text for proof in found for text in (as_text(proof), msgspec.json.encode(proof).decode())]


def check_same(world: World, path: Path, labels: tuple[str, ...]) -> None:
    store = stored(world, path)
    of_all = Explainer(store, world.city, NOW)
    for code in DERIVATIONS:
        alone = Explainer(store, world.city, NOW, code)
        for label in labels:
            assert proofs(alone, code, world.city, label) == proofs(of_all, code, world.city, label)
    store.close()


@pytest.mark.parametrize("factor", [1.0, 0.0])
def test_every_proof_of_the_scripted_city_is_that_from_all_hours(factor: float, tmp_path: Path) -> None:
    check_same(scripted(factor), tmp_path / "s.db", LABELS)


@pytest.mark.parametrize("seed", range(4))
def test_every_proof_of_a_city_made_by_chance_is_that_from_all_hours(seed: int, tmp_path: Path) -> None:
    """Devices of other kinds and roles, without some days, calibrated by their humidity, replaced or out of service."""
    chance = random.Random(seed)
    devices = [dict(d) for d in DEVICES if chance.random() < 0.8]
    devices += [{**d, "id": f"{d['id']}-2"} for d in devices if chance.random() < 0.5]
    for d in devices:
        if d["kind"] == "air_reference" and chance.random() < 0.4:
            d["kind"] = "air_lowcost"
            entry = {"quantity": "no2", "version": 1, "valid_from": "2023-01-01", "gain": 1.5, "humidity": 0.1}
            d["calibration"] = [entry] if "no2" in d["quantities"] else []
            d["quantities"] = [*d["quantities"], "humidity"]
        if d["kind"] == "electricity_meter" and chance.random() < 0.3:
            d["role"] = chance.choice(["generation", "public_building", "residential"])
        if chance.random() < 0.5:
            d.pop("interval_s", None)
        if chance.random() < 0.2:
            d["since"] = "2023-01-10"
    rules = {"mixed_air_kinds": chance.random() < 0.3, "charging_behind_meters": chance.random() < 0.5}
    world = World(devices, rules, **CITY)
    ids = {str(d["id"]) for d in devices}
    rows = [r for r in readings(1.0) if r.time < START + 31 * DAY and chance.random() < 0.9]
    rows += [Reading(r.time, f"{r.device}-2", r.quantity, r.value * 1.1) for r in rows]
    rows += [Reading(r.time, r.device, "humidity", 50.0) for r in rows if r.quantity == "no2"]
    world.take(r for r in rows if r.device in ids)
    check_same(world, tmp_path / "s.db", ("2023-01", "2023-01-15", "2023"))


@pytest.mark.parametrize(("code", "quantities"), [
    ("LOCAL:EV:ENERGY", {"session_energy", "connector_fault"}),
    ("EN:EN:AQ:1C", {"pm2_5", "pm10", "no2", "so2", "o3"}),
])  # fmt: skip
def test_a_proof_reads_the_hours_of_its_series_once_and_no_others(
    code: str, quantities: set[str], tmp_path: Path
) -> None:
    store = stored(scripted(1.0), tmp_path / "s.db")
    list(store.partials("c", "hour", 0, NOW, SeriesTable()))
    every, store.hours = store.hours, {}
    assert KPIS[code].name in explain(store, "c", code, "", "2023-03-05", "text", NOW)
    assert set(store.hours) == quantities
    assert all(count < 1.05 * every[quantity] for quantity, count in store.hours.items())  # some hours begin two reads
    assert sum(store.hours.values()) < 0.3 * sum(every.values())
    store.close()


def test_what_a_derivation_reads_by_its_data_only_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivation that looks at noise meters where there is energy; no city without readings shows it."""
    code = "LOCAL:EV:ENERGY"
    plain = DERIVATIONS[code]

    def derive(view: View) -> list[Part]:
        [part] = plain.derive(view)
        noise = view.rows("sound_energy", ("noise",)).n.sum() if part.value else 0.0
        return [msgspec.structs.replace(part, notes=f"{noise:g} of noise")]

    monkeypatch.setitem(DERIVATIONS, code, msgspec.structs.replace(plain, derive=derive))
    world = scripted(1.0)
    store = stored(world, tmp_path / "s.db")
    [alone, _] = proofs(Explainer(store, world.city, NOW, code), code, world.city, "2023")
    [of_all, _] = proofs(Explainer(store, world.city, NOW), code, world.city, "2023")
    assert alone == of_all
    assert "notes" in alone
    assert " 0 of noise" not in alone
    store.close()
