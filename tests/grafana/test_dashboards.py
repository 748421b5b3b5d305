"""The dashboards' JSON is what the generator makes, readable, and of the shape that Grafana needs."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import DATASOURCE_UID
from grafana.__main__ import main
from grafana.build import FOLDER, build, check
from grafana.colours import GREEN, GREY, INDEX_WORDS, ORANGE, RED, VERDICT_WORDS, band_steps
from grafana.definitions import all_dashboards
from grafana.links import DASHBOARDS
from grafana.lint import faults
from grafana.older import for_older
from kpi_derivation.catalogue import DERIVATIONS, KPIS
from kpi_derivation.rules.air.indices import EUROPE, european_band

FILES = sorted(FOLDER.glob("*.json"))
PROVISIONING = FOLDER.parent / "provisioning"
# Keys that the typed model of Grafana 10.1 leaves out: how annotations are asked of InfluxDB, and two older ones.
BEYOND_THE_MODEL = {
    ".annotations.list[].query", ".annotations.list[].tagsColumn", ".annotations.list[].textColumn",
    ".annotations.list[].timeEndColumn", ".annotations.list[].titleColumn", ".annotations.list[].fromAnnotations",
    ".panels[].hideTimeOverride", ".templating.list[].definition", ".panels[].options.tooltip.show",
    ".panels[].options.tooltip.mode",
}  # fmt: skip


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(request.param.read_text())
    return loaded


def panels() -> Iterator[dict[str, Any]]:
    for board in all_dashboards().values():
        yield from board["panels"]


def test_the_committed_json_is_what_the_code_makes() -> None:
    assert check() == [], "run `python -m grafana build` and commit the result"


def test_there_is_a_dashboard_for_each_question() -> None:
    names = [path.stem for path in FILES]
    assert names == ["air", "charging", "city-now", "energy", "fleet", "kpis", "pipeline", "region"]
    uids = {json.loads(path.read_text())["uid"] for path in FILES}
    assert uids == {f"cityvitals-{name}" for name in DASHBOARDS}


def test_every_kpi_that_is_derived_can_be_chosen() -> None:
    variables = {v["name"]: v for v in all_dashboards()["kpis"]["templating"]["list"]}
    assert {option["value"] for option in variables["code"]["options"]} == set(DERIVATIONS)


def test_a_stale_file_is_named(tmp_path: Path) -> None:
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


def test_every_panel_can_be_read(dashboard: dict[str, Any]) -> None:
    assert faults(dashboard) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("description",), "", "no description"),
        (("fieldConfig", "defaults", "unit"), "", "no unit"),
        (("fieldConfig", "defaults", "noValue"), "", "no text for no value"),
        (
            ("fieldConfig", "defaults", "thresholds", "steps"),
            [{"value": None, "color": "green"}],
            "no value is not grey",
        ),
        (("targets",), [{"query": 'SELECT last("value") FROM "kpi" WHERE "valued" = 1'}], "without an end in time"),
    ],
)
def test_the_lint_finds_what_is_missing(path: tuple[str, ...], value: object, expected: str) -> None:
    board = copy.deepcopy(all_dashboards()["city-now"])
    where = board["panels"][0]
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = value
    assert [fault for fault in faults(board) if expected in fault]


def test_nothing_asks_for_an_input_at_import(dashboard: dict[str, Any]) -> None:
    text = json.dumps(dashboard)
    assert "__inputs" not in dashboard
    assert "__requires" not in dashboard
    assert "${DS_" not in text


def test_every_panel_asks_the_chosen_store(dashboard: dict[str, Any]) -> None:
    chosen = {"type": "influxdb", "uid": "${datasource}"}
    for panel in dashboard["panels"]:
        assert panel["datasource"] == chosen
        assert [target["datasource"] for target in panel["targets"]] == [chosen] * len(panel["targets"])


def test_the_fixed_store_is_the_one_provisioned(dashboard: dict[str, Any]) -> None:
    [variable] = [v for v in dashboard["templating"]["list"] if v["type"] == "datasource"]
    provisioned = yaml.safe_load((PROVISIONING / "datasources" / "cityvitals.yaml").read_text())
    assert variable["current"]["value"] == DATASOURCE_UID
    assert [source["uid"] for source in provisioned["datasources"]] == [DATASOURCE_UID]


def test_panels_have_numbers_of_their_own_and_fill_the_width_without_overlap(dashboard: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    rows: dict[int, int] = {}
    for place in places:
        rows[place["y"]] = rows.get(place["y"], 0) + place["w"]
    assert set(rows.values()) == {24}
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above


def test_city_now_is_one_screen_on_a_wall() -> None:
    places = [panel["gridPos"] for panel in all_dashboards()["city-now"]["panels"]]
    bottom = max(place["y"] + place["h"] for place in places)
    assert bottom * 38 <= 1000  # 30 pixels a unit and 8 between two, without Grafana's header


def test_queries_of_a_panel_have_letters_of_their_own(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)


def lost(mine: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where Grafana's typed model says something else than our JSON."""
    if isinstance(mine, dict):
        for key, value in mine.items():
            there = isinstance(theirs, dict) and key in theirs
            yield from lost(value, theirs[key], f"{path}.{key}") if there else [f"{path}.{key}"]
    elif isinstance(mine, list):
        for one, other in zip(mine, theirs, strict=True):
            yield from lost(one, other, f"{path}[]")
    elif mine != theirs:
        yield f"{path} {mine!r} is {theirs!r}"


def test_the_json_is_a_dashboard_by_grafanas_own_model(dashboard: dict[str, Any]) -> None:
    model = json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(dashboard))))
    found = {path for path in lost(dashboard, model) if ".annotations.list[].target." not in path}
    assert found <= BEYOND_THE_MODEL


# What current Grafana has removed (AngularJS in 12) or renamed: panels, and keys of panels at any depth.
GONE_PANELS = {"graph", "table-old", "singlestat", "grafana-worldmap-panel", "grafana-piechart-panel", "alertlist-old"}
GONE_KEYS = {
    "aliasColors",
    "seriesOverrides",
    "yaxes",
    "xaxis",
    "nullPointMode",
    "alert",
    "valueMaps",
    "rangeMaps",
    "styles",
}


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from keys(child)


def test_nothing_is_used_that_current_grafana_has_removed(dashboard: dict[str, Any]) -> None:
    assert {panel["type"] for panel in dashboard["panels"]} & GONE_PANELS == set()
    assert set(keys(dashboard["panels"])) & GONE_KEYS == set()
    for panel in dashboard["panels"]:
        custom = [panel["fieldConfig"]["defaults"].get("custom", {})]
        assert all("displayMode" not in one for one in custom), "cellOptions since 9.4"
        assert "custom.displayMode" not in {p["id"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"]}


def test_what_later_schemas_change_is_already_so(dashboard: dict[str, Any]) -> None:
    """Grafana's migrations: 39 timeSeriesTable, 40 refresh, 41 time_options, 42 hideFrom, 43 formatTime."""
    used = {step["id"] for panel in dashboard["panels"] for step in panel.get("transformations", [])}
    assert used <= {"merge", "organize"}
    assert isinstance(dashboard["refresh"], str)
    assert "time_options" not in dashboard["timepicker"]
    assert "custom.hideFrom" not in {p["id"] for panel in dashboard["panels"]
                                     for o in panel["fieldConfig"]["overrides"] for p in o["properties"]}  # fmt: skip


def test_events_are_asked_for_in_the_form_of_old_and_of_current_grafana(dashboard: dict[str, Any]) -> None:
    """From 9.2 on the InfluxDB data source reads `target` only; before, what stands beside it."""
    for events in dashboard["annotations"]["list"]:
        for name in ("query", "textColumn", "tagsColumn", "timeEndColumn"):
            assert events["target"][name] == events[name] != ""
        assert "GROUP BY" not in events["query"], "the kind of an event is a column"


@pytest.mark.parametrize("board", DASHBOARDS)
def test_links_lead_to_dashboards_that_are_there_and_take_city_and_time_along(board: str) -> None:
    links = [link for panel in panels() for link in _links(panel) if f"/d/cityvitals-{board}?" in link]
    assert all("var-city=${" in link for link in links)
    known = {f"/d/cityvitals-{name}" for name in DASHBOARDS}
    every = [link for panel in panels() for link in _links(panel)]
    assert {link.partition("?")[0] for link in every if link.startswith("/d/")} <= known
    assert all("${__url_time_range}" in link for link in every if "var-city=${city}" in link and link.startswith("/d/"))


def _links(panel: dict[str, Any]) -> Iterator[str]:
    config = panel["fieldConfig"]
    found = list(config["defaults"].get("links", []))
    for override in config["overrides"]:
        found += [link for p in override["properties"] if p["id"] == "links" for link in p["value"]]
    yield from (link["url"] for link in found)


# -- colours by meaning ------------------------------------------------------------------------------------------------


def colour_of(value: float | None, steps: list[dict[str, Any]]) -> str:
    """The colour Grafana gives a value: that of the last step it reaches; a null takes the first."""
    reached = [
        step["color"] for step in steps if step["value"] is None or (value is not None and value >= step["value"])
    ]
    return str(reached[-1])


def scale(board: str, title: str, column: str = "") -> list[dict[str, Any]]:
    [panel] = [p for p in all_dashboards()[board]["panels"] if p["title"] == title]
    config = panel["fieldConfig"]
    if not column:
        steps: list[dict[str, Any]] = config["defaults"]["thresholds"]["steps"]
        return steps
    [override] = [o for o in config["overrides"] if o["matcher"]["options"] == column]
    [found] = [p["value"]["steps"] for p in override["properties"] if p["id"] == "thresholds"]
    return list(found)


@pytest.mark.parametrize("quantity", EUROPE)
def test_a_concentration_has_the_colour_of_its_band(quantity: str) -> None:
    steps = [{"value": v, "color": c} for v, c in band_steps(quantity)]
    for limit in EUROPE[quantity]:
        for value in (limit - 0.01, float(limit), limit + 0.01):
            assert colour_of(value, steps) == INDEX_WORDS[european_band(quantity, value)][1], (quantity, value)


@pytest.mark.parametrize("band", INDEX_WORDS)
def test_the_index_has_its_word_and_its_colour(band: int) -> None:
    assert colour_of(band, scale("city-now", "Air now")) == INDEX_WORDS[band][1]
    assert INDEX_WORDS[6][0] == "extremely poor"
    assert INDEX_WORDS[6][1] not in (GREEN, GREY)


@pytest.mark.parametrize(
    ("board", "title", "column", "value", "colour"),
    [
        ("city-now", "Air now", "", None, GREY),
        ("city-now", "Silent devices", "", None, GREY),
        ("city-now", "Silent devices", "", 0, GREEN),
        ("city-now", "Silent devices", "", 1, ORANGE),
        ("city-now", "Silent devices", "", 4, RED),
        ("city-now", "Peak of contract", "", 84.9, GREEN),
        ("city-now", "Peak of contract", "", 85, ORANGE),
        ("city-now", "Peak of contract", "", 95, RED),
        ("city-now", "Chargers", "fault", 0, GREEN),
        ("city-now", "Chargers", "fault", 1, RED),
        ("city-now", "Indicators against the city's targets, last 365 days", "verdict", 1, ORANGE),
        ("city-now", "Indicators against the city's targets, last 365 days", "verdict", 2, GREEN),
        ("city-now", "Indicators against the city's targets, last 365 days", "coverage", 0.74, ORANGE),
        ("energy", "Left to the contract", "", -1, RED),
        ("energy", "Left to the contract", "", 100_000, ORANGE),
        ("energy", "Left to the contract", "", 300_000, GREEN),
        ("charging", "Free", "", 0, GREY),
        ("charging", "In fault", "", 2, RED),
        ("fleet", "Every device, the worst first", "rssi", -86, RED),
        ("fleet", "Every device, the worst first", "rssi", -60, GREEN),
        ("fleet", "Every device, the worst first", "ring_fill", 76, RED),
        ("pipeline", "Oldest waiting window", "", 70, GREEN),
        ("pipeline", "Records missing", "", 1, ORANGE),
    ],
)
def test_colours_say_what_a_value_means(board: str, title: str, column: str, value: float | None, colour: str) -> None:
    boards = all_dashboards()[board]["panels"]
    if sum(p["title"] == title for p in boards) > 1:
        pytest.fail(f"two panels are called {title}")
    assert colour_of(value, scale(board, title, column)) == colour


def test_verdicts_have_words() -> None:
    assert [word for word, _ in VERDICT_WORDS.values()] == ["no target", "off target", "on target"]


def test_kpis_are_shown_by_name() -> None:
    [panel] = [p for p in all_dashboards()["kpis"]["panels"] if p["title"] == "Indicators with a value"]
    [override] = [o for o in panel["fieldConfig"]["overrides"] if o["matcher"]["options"] == "code"]
    [words] = [p["value"][0]["options"] for p in override["properties"] if p["id"] == "mappings"]
    assert {code: option["text"] for code, option in words.items()} == {code: kpi.name for code, kpi in KPIS.items()}


# -- older servers -----------------------------------------------------------------------------------------------------


def test_the_form_for_older_servers_has_nothing_they_do_not_know(dashboard: dict[str, Any]) -> None:
    older = for_older(dashboard)
    text = json.dumps(older)
    assert '"uid": "${datasource}"' not in text
    assert "cellOptions" not in text
    assert {panel["type"] for panel in older["panels"]} <= {
        "stat", "gauge", "bargauge", "table", "timeseries", "heatmap", "text"
    }  # fmt: skip
    assert older["schemaVersion"] == 27
    assert dashboard["schemaVersion"] == 38, "the one that was given is left as it was"


def test_dashboards_and_alerts_are_provisioned_from_where_compose_mounts_them() -> None:
    [provider] = yaml.safe_load((PROVISIONING / "dashboards" / "cityvitals.yaml").read_text())["providers"]
    compose = yaml.safe_load((FOLDER.parent.parent / "docker-compose.yml").read_text())
    mounted = [re.sub(r"\$\{[^}]*\}", "", volume).split(":")[1] for volume in compose["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounted
