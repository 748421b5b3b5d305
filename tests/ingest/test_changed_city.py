"""A changed city file: what depends on it is recalculated and reported, and nothing else."""

from __future__ import annotations

import copy
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import CityIngest, Ingest
from kpi_derivation import catalogue
from kpi_derivation.catalogue import DERIVATIONS, Derivation
from kpi_derivation.engine.changes import affected
from kpi_derivation.engine.view import Part, View
from registry.city import City, Rules
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import HOUR, MINUTE
from tests.kpi_derivation.golden.world import at, every

AIR = "EN:EN:AQ:1C"
FILE: dict[str, Any] = {
    "city": {
        "id": "c", "name": "C", "country": "GB", "timezone": "Europe/London", "population": 1000.0, "households": 400.0,
        "households_with_electricity": 390.0, "emission_factor_kg_per_kwh": 0.2, "renewable_grid_share": 0.3,
        "emission_factor_kg_per_kwh_year": 2019, "electricity_meters": 4.0, "electricity_customers": 40.0,
        "demand_response_customers": 4.0, "water_meters": 1.0, "ev_charge_points": 3.0,
        "public_building_area_m2": 70.0, "passenger_vehicles": 300.0, "low_carbon_vehicles": 20.0,
        "electricity_network_km": 10.0, "electricity_monitored_km": 5.0, "water_network_km": 9.0,
        "water_monitored_km": 4.0,
    },
    "rules": {"charging_behind_meters": False, "revision_hold_h": 0.0},
    "device": [
        {"id": "m", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600},
        {"id": "hall", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600,
         "role": "public_building"},
        {"id": "pv", "kind": "electricity_meter", "quantities": ["energy_total", "energy_export_total"],
         "interval_s": 3600, "role": "generation"},
        *({"id": f"s{i}", "kind": "air_reference", "quantities": ["no2", "pm10"], "interval_s": 3600,
           "population": 500.0} for i in range(3)),
        {"id": "low", "kind": "air_lowcost", "quantities": ["no2", "humidity"], "interval_s": 3600},
        {"id": "ev", "kind": "ev_charger", "quantities": ["session_energy", "connector_state"]},
        {"id": "n", "kind": "noise", "quantities": ["laeq"], "interval_s": 3600, "population": 10.0},
        {"id": "w", "kind": "water_meter", "quantities": ["water_total"], "interval_s": 3600},
        {"id": "supply", "kind": "water_meter", "quantities": ["water_total"], "interval_s": 3600, "role": "supply"},
        {"id": "h", "kind": "heat_meter", "quantities": ["heat_total"], "interval_s": 3600},
        {"id": "log", "kind": "outage_log", "quantities": ["interrupted_over_5min", "interruption_over_5min"]},
    ],
}  # fmt: skip
FIRST, DAYS = "2020-02-27", 4
NOW = at("2020-08-01")


def readings() -> list[Any]:
    rows = []
    for device in FILE["device"]:
        for quantity in device["quantities"]:
            if quantity in ("session_energy", "interrupted_over_5min", "interruption_over_5min"):
                rows += every("2020-02-28T10:00", 1, HOUR, device["id"], quantity, [20.0])
            else:
                size = len(device["id"]) + len(quantity)
                values = (30.0 + size + (3 * i if quantity.endswith("_total") else i % 9) for i in range(DAYS * 24))
                rows += every(FIRST, DAYS * 24, HOUR, device["id"], quantity, values)
    return rows


def serve(store: SqliteStore, file: dict[str, Any]) -> CityIngest:
    return Ingest(store).add_city(City.model_validate(file), MINUTE)


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with a city of every kind of device, derived; to be copied."""
    path = tmp_path_factory.mktemp("derived") / "c.db"
    opened = SqliteStore(path)
    ingest = Ingest(opened)
    city, rows = ingest.add_city(City.model_validate(FILE), MINUTE), readings()
    ids = [ingest.table.id_of(Series("c", r.device, r.quantity)) for r in rows]
    found = Readings.of(ids, [r.time for r in rows], [r.value for r in rows], [r.key for r in rows])
    city.take(fold(found, MINUTE, ingest.table.modulus(found.series)))
    assert city.derive(NOW)
    assert city.change_report == []
    opened.close()
    return path


@pytest.fixture
def store(derived: Path, tmp_path: Path) -> SqliteStore:
    """A store of the test's own with that city."""
    return SqliteStore(Path(shutil.copy(derived, tmp_path)))


def changed(**keys: Any) -> dict[str, Any]:
    file = copy.deepcopy(FILE)
    for key, value in keys.items():
        section = "rules" if key in Rules.model_fields else "city"
        file[section][key] = value
    return file


def device(name: str, **keys: Any) -> dict[str, Any]:
    file = copy.deepcopy(FILE)
    next(d for d in file["device"] if d["id"] == name).update(keys)
    return file


ENTRY = {"quantity": "no2", "valid_from": "2020-02-29", "gain": 2.0}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "population": (changed(population=1100.0), "EN:E:E:2C"),
    "factor": (changed(emission_factor_kg_per_kwh=0.25), "EN:EN:AQ:2C"),
    "the year of the factor": (changed(emission_factor_kg_per_kwh_year=2020), "EN:EN:AQ:2C"),
    "area": (changed(public_building_area_m2=100.0), "EN:E:E:4A"),
    "customers": (changed(electricity_customers=50.0), "EC:I:ES:1C"),
    "noise": (changed(noise_limit_lden=80.0), "EN:EN:EQ:2A"),
    "capture": (changed(hour_capture=0.5), ""),
    "mixed": (changed(mixed_air_kinds=True), AIR),
    "weights": (changed(population_weighted_air=True), AIR),
    "calibration": (device("s1", calibration=[ENTRY]), AIR),
    "calibration and weights": (
        {**device("s1", calibration=[ENTRY]), "rules": {**FILE["rules"], "population_weighted_air": True}},
        AIR,
    ),
    "role": (device("m", role="public_building"), "EN:E:E:4A"),
    "gone": ({**FILE, "device": FILE["device"][1:]}, "LOCAL:E:METERED"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_rests_on_a_change_is_derived_again_and_nothing_else(case: str, store: SqliteStore) -> None:
    file, code = CASES[case]
    before = {v.kpi.identity: v for v in store.kpis(KpiQuery("c"))}
    city = serve(store, file)
    new = city.derive(NOW)
    record = city._engine.record
    concerned = affected(City.model_validate(FILE), City.model_validate(file), record)
    assert {v.kpi.code for v in new} <= concerned.keys()
    if code:
        assert code in {v.kpi.code for v in new}
        assert any(code in sentence or "all KPIs" in sentence for sentence in city.change_report)
    stored = {v.kpi.identity: v for v in store.kpis(KpiQuery("c"))}
    rewritten = {v.kpi.identity for v in new}
    assert all(stored[i] == v for i, v in before.items() if i not in rewritten)
    assert store.cities()[0].config == City.model_validate(file).model_dump(mode="json", exclude_defaults=True)
    # Nothing was forgotten: deriving all of it once more finds nothing.
    city.touch_everything()
    assert city.derive(NOW) == []


def test_a_new_population_names_the_old_and_new_value_in_a_revision(store: SqliteStore) -> None:
    city = serve(store, changed(population=2000.0))
    new = {(v.kpi.code, v.kpi.period): v for v in city.derive(NOW)}
    assert city.change_report[0].startswith("population 1000 -> 2000: recalculated: EN:E:E:2C, ")
    value = new["EN:E:E:2C", "2020-02-28"]
    assert (value.kpi.revision, value.kpi.status) == (2, "final")
    line = next(s for s in city.change_report if s.startswith("EN:E:E:2C: "))
    assert "(revision 2)" in line
    assert AIR not in {code for code, _ in new}
    assert city.derive(NOW) == []  # once


def test_the_values_of_a_device_that_was_taken_out_are_withdrawn_where_it_was_the_only_one(store: SqliteStore) -> None:
    alone = {**FILE, "device": [d for d in FILE["device"] if d["kind"] == "noise"]}
    city = serve(store, alone)
    new = {(v.kpi.code, v.kpi.period): v.kpi for v in city.derive(NOW)}
    late = copy.deepcopy(alone)
    late["device"] = [{**FILE["device"][0], "id": "later"}]
    withdrawn = {(v.kpi.code, v.kpi.period): v.kpi for v in serve(store, late).derive(NOW)}
    assert new["LOCAL:E:METERED", "2020-02-28"].value is None
    assert withdrawn["LOCAL:N:LDEN", "2020-02-28"].value is None
    assert not [v for v in store.kpis(KpiQuery("c", ["day"], ["LOCAL:N:LDEN"])) if v.kpi.value]


def test_a_calibration_reaches_only_what_comes_after_it(store: SqliteStore) -> None:
    city = serve(store, device("s1", calibration=[ENTRY]))
    new = city.derive(NOW)
    assert {(v.kpi.code, v.kpi.part) for v in new if v.kpi.value is not None} >= {(AIR, "no2")}
    assert all(v.kpi.end > at("2020-02-29") for v in new)
    assert "2020-02-28" not in {v.kpi.period for v in new}
    assert "2020-03-01" in {v.kpi.period for v in new}


def test_a_crash_before_the_values_are_stored_leaves_the_change_for_the_next_start(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(values: Any) -> None:
        raise Unavailable("away")

    file = changed(population=2000.0)
    with monkeypatch.context() as broken:
        broken.setattr(store, "put_kpis", away)
        with pytest.raises(Unavailable):
            serve(store, file).derive(NOW)
    assert store.cities()[0].config["city"]["population"] == 1000.0
    assert "EN:E:E:2C" in {v.kpi.code for v in serve(store, file).derive(NOW)}


def test_a_stored_file_that_cannot_be_read_any_more_lets_everything_be_derived(store: SqliteStore) -> None:
    [record] = store.cities()
    store.put_city(record._replace(config={**record.config, "of_another_version": 1}))
    city = serve(store, changed(population=2000.0))
    assert {"EN:E:E:2C"} <= {v.kpi.code for v in city.derive(NOW)}


# A KPI whose author says nowhere what it reads; it looks at the population only where there is a reading.
PER_HEAD = """
from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part
from telemetry.kpi_value import KpiQuery

KPI = local_kpi("LOCAL:TEST:PER_HEAD", "Water a head", "m3", "Metered water over the population", "Test")
METHOD = "test/1"


def derive(view):
    rows = view.rows("water_total", ("water_meter",))
    if not rows.increase.any():
        return [Part(value=None, coverage=0.0, n_devices=0, notes="no reading")]
    return [Part(value=float(rows.increase.sum()) / view.city.city.population, coverage=1.0, n_devices=1)]
"""
CODE = "LOCAL:TEST:PER_HEAD"


@pytest.fixture
def per_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The KPI above, added as a file; its code."""
    monkeypatch.setattr(catalogue, "KPIS", dict(catalogue.KPIS))
    before = dict(DERIVATIONS)
    (tmp_path / "per_head.py").write_text(PER_HEAD)
    spec = importlib.util.spec_from_file_location("per_head", tmp_path / "per_head.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield catalogue.add(module).kpi.code
    DERIVATIONS.clear()
    DERIVATIONS.update(before)


def test_a_new_kpi_file_is_derived_again_when_what_it_reads_changes(store: SqliteStore, per_head: str) -> None:
    city = serve(store, FILE)
    city.touch_everything()
    first = {v.kpi.period: v.kpi.value for v in city.derive(NOW) if v.kpi.code == per_head}
    assert first["2020-02-28"]
    # It is a new process that finds the changed file: what was read must have been stored.
    city = serve(store, changed(population=2000.0))
    second = {v.kpi.period: v.kpi.value for v in city.derive(NOW) if v.kpi.code == per_head}
    assert second["2020-02-28"] == first["2020-02-28"] / 2
    assert second.keys() == {p for p, value in first.items() if value is not None}
    # A key that it does not read does not concern it.
    city = serve(store, changed(population=2000.0, water_meters=7.0))
    assert per_head not in {v.kpi.code for v in city.derive(NOW)}
    assert not any(per_head in sentence for sentence in city.change_report)


def test_values_of_a_store_without_a_record_are_concerned_by_any_change(store: SqliteStore) -> None:
    [record] = store.cities()
    store.put_city(record._replace(reads={}))
    before = {v.kpi.identity for v in store.kpis(KpiQuery("c"))}
    city = serve(store, changed(area_km2=12.0))
    assert any("all KPIs" in sentence for sentence in city.change_report)
    assert not [v for v in city.derive(NOW) if v.kpi.identity in before]
    assert store.cities()[0].reads.keys() == set(DERIVATIONS)
    city = serve(store, changed(area_km2=13.0))
    assert city.change_report == ["area_km2 12 -> 13: no KPI depends on it"]


def test_quantities_that_a_kpi_asks_for_only_with_data_are_folded_then(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def derive(view: View) -> list[Part]:
        if not view.rows("laeq", ("noise",)).n.any():
            return [Part(value=None, coverage=0.0, n_devices=0)]
        return [Part(value=float(view.rows("humidity", ("air_lowcost",)).sum.sum()), coverage=1.0, n_devices=1)]

    kpi = catalogue.local_kpi(CODE, "Humidity", "/", "Humidity where there is noise", "Test")
    monkeypatch.setitem(DERIVATIONS, CODE, Derivation(kpi, "test/1", derive))
    city = serve(store, FILE)
    city.touch_everything()
    found = {v.kpi.period: v.kpi.value for v in city.derive(NOW) if v.kpi.code == CODE}
    humid = {r.time: r.value for r in readings() if (r.device, r.quantity) == ("low", "humidity")}
    first, after = at("2020-02-28"), at("2020-02-29")
    assert found["2020-02-28"] == sum(value for t, value in humid.items() if first <= t < after)
