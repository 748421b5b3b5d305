"""What the demo city shows: its figures pass the rules, its targets can be used, its places stand on land."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import shapely
import tomlkit

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.access import read_tokens
from cityvitals.local.children import Local, Watched
from cityvitals.local.showcase import figures, setting
from cityvitals.plan.scenario import read_scenario
from registry.city import City
from registry.config import load_city, load_settings
from reporting.indicators import newest_indicators, summary
from reporting.region.figures_import import import_figures
from reporting.targets import usable
from telemetry.kpi_value import KpiQuery
from telemetry.windows import DAY

NOW = 1_795_790_000_000  # 2026-11-27


@pytest.fixture
def city(tmp_path: Path) -> City:
    setting.write_city(tmp_path / "city.toml")
    return load_city(tmp_path / "city.toml")


def test_the_figures_pass_the_rules_and_three_are_missing_for_a_report(tmp_path: Path, city: City) -> None:
    store = SqliteStore(tmp_path / "demo.db")
    store.put_city(CityRecord(city.id, city.model_dump(mode="json", exclude_defaults=True), 60_000))
    path = tmp_path / "figures.csv"
    path.write_text(figures.as_csv(2025), encoding="utf-8")
    done = import_figures(store, path, figures.neighbours(), NOW)
    assert (done.cities, done.years) == (5, [2021, 2022, 2023, 2024, 2025])
    values = [row.kpi for row in store.kpis(KpiQuery("demo", ["year"]))]
    counts = summary(newest_indicators(city, values))
    assert counts.with_value == 70
    assert 0.3 < counts.on_target / counts.with_target < 0.8, "a wheel of one colour shows nothing"
    assert figures.as_csv(2025) == figures.as_csv(2025)


def test_targets_can_be_used_and_the_citys_own_come_first(city: City) -> None:
    found, problems = usable(city.target)
    assert problems == {}
    assert len(found) > 70
    assert found["LOCAL:E:PEAK", ""].value == 2800
    assert [c.id for c in figures.neighbours()] == ["granheim", "lindvik", "osterhavn", "solmark"]


def test_a_city_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text("mine")
    setting.write_city(tmp_path / "city.toml")
    assert (tmp_path / "city.toml").read_text() == "mine"


def test_every_place_stands_on_land(city: City) -> None:
    ground = json.loads((files("cityvitals.local.showcase") / "ground.json").read_text(encoding="utf-8"))
    assert {f["properties"]["kind"] for f in ground["features"]} == {"water", "built", "green", "river", "road"}
    water = [shapely.geometry.shape(f["geometry"]) for f in ground["features"] if f["properties"]["kind"] == "water"]
    placed = [(d.site, shapely.Point(d.lon, d.lat)) for d in city.device if d.lat is not None and d.lon is not None]
    assert len(placed) == len(city.device)
    assert [site for site, point in placed if any(w.contains(point) for w in water)] == []


def test_the_scenario_can_be_read_and_names_meters_of_the_city(tmp_path: Path, city: City) -> None:
    setting.write_files(tmp_path)
    scenario, sessions = read_scenario(tmp_path / "scenario.toml")
    assert sessions is None
    (saving,) = scenario.transforms
    assert set(saving["meters"]) <= {d.id for d in city.device if d.kind == "electricity_meter"}
    (tmp_path / "scenario.toml").write_text("mine")
    setting.write_files(tmp_path)
    assert (tmp_path / "scenario.toml").read_text() == "mine"


def test_faults_stay_what_they_were_at_the_next_start(tmp_path: Path) -> None:
    config = tmp_path / "cityvitals.toml"
    first = setting.simulated(config, NOW)
    config.write_text(tomlkit.dumps({"simulate": first}))
    assert setting.simulated(config, NOW + 2 * DAY) == first
    kinds = {f.device: f.kind for f in load_settings(config).simulate.fault}
    assert kinds == {"air-07": "silent", "air-03": "high", "charger-05": "broken", "meter-11": "garbled"}


def test_each_start_makes_new_tokens_of_three_roles(tmp_path: Path) -> None:
    first, second = setting.new_tokens(tmp_path / "tokens"), setting.new_tokens(tmp_path / "tokens")
    assert list(first) == ["reporter", "operator", "admin"]
    assert not set(first.values()) & set(second.values())
    assert sorted(name for name, _ in read_tokens(tmp_path / "tokens").values()) == [
        "demo-admin", "demo-operator", "demo-reporter",
    ]  # fmt: skip


class Recorded(Local):
    """Programs that are only noted."""

    def restart(self, names: tuple[str, ...], config: Path) -> None:
        noted.append((names, config.name))


noted: list[Any] = []


def test_a_changed_city_file_restarts_gateway_and_ingest_unless_it_is_wrong(tmp_path: Path, city: City) -> None:
    path, config = tmp_path / "city.toml", tmp_path / "cityvitals.toml"
    local, watched = Recorded(tmp_path), Watched([path])
    noted.clear()
    assert not watched.take_over(local, config)
    text = path.read_text()
    path.write_text(text + '\n[[device]]\nid = "air-70"\nkind = "air_lowcost"\nquantities = ["pm2_5"]\n')
    assert watched.take_over(local, config)
    assert not watched.take_over(local, config)
    path.write_text(text + "\n[[device]]\n")
    assert not watched.take_over(local, config)
    assert noted == [(("gateway", "ingest"), "cityvitals.toml")]
    assert len(tomllib.loads(text)["device"]) == len(city.device)
