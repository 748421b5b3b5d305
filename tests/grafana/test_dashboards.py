"""The dashboards' JSON is what the generator makes, and of the shape that file provisioning needs."""

from __future__ import annotations

import json
import shutil
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import DATASOURCE_UID
from grafana.__main__ import main
from grafana.build import FOLDER, build, check
from kpi_derivation.catalogue import DERIVATIONS
from telemetry.errors import CityVitalsError

FILES = sorted(FOLDER.glob("*.json"))
PROVISIONING = FOLDER.parent / "provisioning"


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(request.param.read_text())
    return loaded


def test_the_committed_json_is_what_the_code_makes() -> None:
    assert check() == [], "run `python -m grafana build` and commit the result"


def test_there_is_a_dashboard_for_each_part_of_the_house() -> None:
    assert [path.stem for path in FILES] == ["air-quality", "city-kpis", "energy", "ev-charging", "pipeline-health"]


def test_every_derived_kpi_is_on_the_city_dashboard() -> None:
    text = (FOLDER / "city-kpis.json").read_text()
    assert all(f"'{code}'" in text for code in DERIVATIONS)


def test_a_stale_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    build(tmp_path)
    (tmp_path / "energy.json").write_text("{}")
    shutil.copy(tmp_path / "energy.json", tmp_path / "gone.json")
    assert check(tmp_path) == ["energy.json", "gone.json"]
    build(tmp_path)
    assert check(tmp_path) == []


def test_the_command_says_whether_the_files_are_up_to_date(capsys: Any) -> None:
    assert main(["check"]) == 0
    assert main([]) == 2
    assert "python -m grafana build" in capsys.readouterr().err


def test_without_the_libraries_that_make_dashboards_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grafana_foundation_sdk.cog.encoder", None)
    with pytest.raises(CityVitalsError, match=r"pip install 'cityvitals\[grafana\]'"):
        check()


def test_nothing_asks_for_an_input_at_import(dashboard: dict[str, Any]) -> None:
    text = json.dumps(dashboard)
    assert "__inputs" not in dashboard
    assert "__requires" not in dashboard
    assert "${DS_" not in text


def test_every_panel_asks_the_store_chosen_above(dashboard: dict[str, Any]) -> None:
    chosen = {"type": "influxdb", "uid": "${datasource}"}
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"] == chosen
            assert [target["datasource"] for target in panel["targets"]] == [chosen] * len(panel["targets"])


def test_the_fixed_store_is_the_one_provisioned(dashboard: dict[str, Any]) -> None:
    [variable] = [v for v in dashboard["templating"]["list"] if v["type"] == "datasource"]
    provisioned = yaml.safe_load((PROVISIONING / "datasources" / "cityvitals.yaml").read_text())
    assert variable["current"]["value"] == DATASOURCE_UID
    assert [source["uid"] for source in provisioned["datasources"]] == [DATASOURCE_UID]


def test_panels_have_numbers_of_their_own_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above


def test_queries_of_a_panel_have_letters_of_their_own(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(letters)) == len(letters)


def test_the_json_is_a_dashboard_by_grafanas_own_model(dashboard: dict[str, Any]) -> None:
    model = Dashboard.from_json(dashboard)
    assert model.uid == dashboard["uid"]
    assert model.panels is not None
    assert len(model.panels) == len(dashboard["panels"])


def test_dashboards_are_provisioned_from_where_compose_mounts_them() -> None:
    [provider] = yaml.safe_load((PROVISIONING / "dashboards" / "cityvitals.yaml").read_text())["providers"]
    compose = yaml.safe_load((FOLDER.parent.parent / "docker-compose.yml").read_text())
    mounted = [volume.split(":")[1] for volume in compose["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounted
