"""Pushing dashboards over Grafana's HTTP API, against a stand-in on the loopback interface that records the calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from grafana.alerts import rule_groups
from grafana.build import FOLDER, build
from grafana.policy import from_policy
from grafana.push import push
from grafana.rules import GROUPS, minutes
from telemetry.errors import CityVitalsError, Unavailable, UsageError
from tests.grafana.stand_in import Call, StandIn, standing_in
from tests.servers import free_port


@pytest.fixture
def grafana() -> Iterator[tuple[str, list[Call]]]:
    with standing_in() as made:
        yield made


def schemas(calls: list[Call]) -> set[int]:
    return {body["dashboard"]["schemaVersion"] for path, _, body in calls if path == "/api/dashboards/db"}


def test_every_dashboard_is_put_into_the_folder(grafana: Any) -> None:
    url, calls = grafana
    addresses = push(url, "good")
    assert f"{url}/d/cityvitals-kpis" in addresses
    folder, *dashboards = calls
    assert folder[2]["uid"] == "cityvitals"
    assert len(dashboards) == len(addresses) == 8
    assert all(body["folderUid"] == "cityvitals" and body["overwrite"] for _, _, body in dashboards)


def test_a_second_push_finds_the_folder_there(grafana: Any) -> None:
    url, calls = grafana
    assert push(url, "good") == push(url, "good")
    assert len(calls) == 18


@pytest.mark.parametrize(
    ("version", "schema"), [("7.5.5", 27), ("9.5.2", 27), ("10.0.0", 38), ("13.1.0-pre", 38), (None, 38)]
)
def test_a_server_gets_the_form_it_understands(grafana: Any, version: str | None, schema: int) -> None:
    url, calls = grafana
    StandIn.version = version
    push(url, "good")
    assert schemas(calls) == {schema}


def test_an_older_server_gets_the_folder_by_its_number(grafana: Any) -> None:
    url, calls = grafana
    StandIn.version = "7.5.5"
    push(url, "good")
    push(url, "good")  # the folder is there already
    assert {body["folderId"] for path, _, body in calls if path == "/api/dashboards/db"} == {7}


@pytest.mark.parametrize("version", ["7.4.0", "6.7.4", "5.0.0"])
def test_a_server_that_is_too_old_is_left_alone(grafana: Any, version: str) -> None:
    url, calls = grafana
    StandIn.version = version
    with pytest.raises(CityVitalsError, match=r"the dashboards need 7\.5 or later"):
        push(url, "good")
    assert calls == []


def test_a_data_source_that_is_missing_is_named_before_anything_is_written(grafana: Any) -> None:
    url, calls = grafana
    StandIn.datasources = ("mine",)
    with pytest.raises(CityVitalsError, match="no data source 'cityvitals-influx'"):
        push(url, "good")
    assert calls == []
    assert len(push(url, "good", "mine")) == 8
    chosen = [v["current"]["value"] for _, _, body in calls[1:] for v in body["dashboard"]["templating"]["list"]
              if v["type"] == "datasource"]  # fmt: skip
    assert chosen == ["mine"] * 8


def test_a_token_that_is_denied_needs_the_role_editor(grafana: Any) -> None:
    with pytest.raises(CityVitalsError, match="role Editor"):
        push(grafana[0], "bad")


def test_what_is_not_an_address_is_named() -> None:
    with pytest.raises(UsageError, match="not the address of a Grafana"):
        push("file:///etc/passwd", "good")


def test_a_grafana_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        push(f"http://127.0.0.1:{free_port()}", "good")


def test_alert_rules_are_put_as_groups_that_stay_editable(grafana: Any) -> None:
    url, calls = grafana
    StandIn.datasources = ("mine",)
    pushed = push(url, "good", "mine", alerts=True)
    groups = [(path, body) for path, _, body in calls if path.startswith("/api/v1/provisioning/")]
    assert [path.rpartition("/")[2] for path, _ in groups] == [quote(name) for name in GROUPS]
    assert len(pushed) == 8 + len(GROUPS)
    for (_, body), rules in zip(groups, GROUPS.values(), strict=True):
        assert body["interval"] == 60 * min(minutes(rule.every) for rule in rules)
        assert {rule["folderUID"] for rule in body["rules"]} == {"cityvitals"}
        sources = {query.get("datasourceUid") for rule in body["rules"] for query in rule["data"]}
        assert "mine" in sources
        assert "cityvitals-influx" not in sources
    assert StandIn.provenance == {"true"}


def test_an_older_server_gets_no_alert_rules_and_nothing_else(grafana: Any) -> None:
    url, calls = grafana
    StandIn.version = "9.5.2"
    with pytest.raises(CityVitalsError, match="alert rules need 10 or later"):
        push(url, "good", alerts=True)
    assert calls == []


def test_with_a_policy_every_query_of_what_is_never_deleted_names_it() -> None:
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")]
    for document in (*boards, *(group for _, group in rule_groups("folder", "uid"))):
        plain, named = json.dumps(document), json.dumps(from_policy(document, "forever"))
        count = sum(plain.count(f'FROM \\"{name}\\"') for name in ("kpi", "device", "figure", "newest", "registry"))
        assert named.count('FROM \\"forever\\".\\"') == count
        assert named.replace('\\"forever\\".', "") == plain
        assert from_policy(document, "") == document


def test_dashboards_for_provisioning_are_built_for_a_policy(tmp_path: Path) -> None:
    plain = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    built = {path.name: path.read_text(encoding="utf-8") for path in build(tmp_path, "forever")}
    assert {name: text.replace('\\"forever\\".', "") for name, text in built.items()} == plain
    assert 'FROM \\"forever\\".\\"kpi\\"' in built["kpis.json"]
    assert 'FROM \\"kpi\\"' not in built["kpis.json"]
