"""Grafana, alerts and InfluxDB in docs/how-to, followed: a real InfluxDB, and a stand-in for Grafana."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import make_secrets
from grafana.rules import GROUPS
from tests.deploy.test_compose import compose_command
from tests.docs.pages import REPO, Page, run
from tests.grafana.stand_in import Call, standing_in
from tests.processes import free_port
from tests.servers import InfluxDB

TOKEN = {"CITYVITALS_GRAFANA_TOKEN": "good"}
Calls = list[Call]


@pytest.fixture
def grafana() -> Iterator[tuple[str, Calls]]:
    with standing_in() as made:
        yield made


def here(line: str, url: str) -> str:
    """The push to this server."""
    assert "http://localhost:3000" in line
    return line.replace("http://localhost:3000", url)


def boards(calls: Calls) -> list[dict[str, Any]]:
    return [body["dashboard"] for path, _, body in calls if path == "/api/dashboards/db"]


def groups(calls: Calls) -> list[Any]:
    return [body for path, _, body in calls if path.startswith("/api/v1/provisioning/")]


@pytest.mark.timeout(240)
def test_the_demo_runs_on_influxdb_and_its_boards_are_pushed(
    influxdb: InfluxDB, grafana: tuple[str, Calls], tmp_path: Path
) -> None:
    page, (url, calls) = Page("docs/how-to/grafana.md"), grafana
    demo = page.span("cityvitals demo").replace("localhost:8086", f"127.0.0.1:{influxdb.port}")
    assert "127.0.0.1" in demo
    influxdb.create("demo")
    run(f"{demo} --port {free_port()} --days 1 --seconds 1 --data demo", tmp_path)
    [row] = influxdb.query('SELECT last("name") AS "name" FROM "registry"', "demo")
    assert row["name"]
    pushed = run(here(page.take("CITYVITALS_GRAFANA_TOKEN"), url), tmp_path, environment=TOKEN).split()
    assert len(pushed) == len(boards(calls)) == 8
    for board in boards(calls):
        [source] = [v["current"]["value"] for v in board["templating"]["list"] if v["type"] == "datasource"]
        assert f"uid and name `{source}`" in page.text
    assert page.left == []


def test_alerts_are_checked_without_any_other_program_and_pushed(grafana: tuple[str, Calls], tmp_path: Path) -> None:
    page, (url, calls) = Page("docs/how-to/alerts.md"), grafana
    run("cityvitals init town --timezone UTC", tmp_path)
    doctor = page.take("cityvitals doctor").replace("/etc/cityvitals/", "town/")
    findings = json.loads(run(doctor, tmp_path, codes=(1,)))
    assert any(f["verdict"] == "bad" and "edge broker" in f["what"] for f in findings), "nothing runs: exit code 1"
    run(here(page.take("CITYVITALS_GRAFANA_TOKEN"), url), tmp_path, environment=TOKEN)
    assert len(groups(calls)) == len(GROUPS)
    assert page.left == []


def test_the_files_to_copy_for_notifications_are_there_and_name_two_variables() -> None:
    for name in ("alerts", "grafana"):
        text = Page(f"docs/how-to/{name}.md").text
        assert "`deploy/grafana/contact-points.example.yaml` and `policies.example.yaml`" in text
    points = (REPO / "deploy" / "grafana" / "contact-points.example.yaml").read_text(encoding="utf-8")
    policies = yaml.safe_load((REPO / "deploy" / "grafana" / "policies.example.yaml").read_text(encoding="utf-8"))
    assert len(set(re.findall(r"\$(CITYVITALS_\w+)", points))) == 2
    [point] = yaml.safe_load(points)["contactPoints"]
    assert {p["receiver"] for p in policies["policies"]} == {point["name"]}


def test_influxdb_is_a_store_and_boards_read_the_policy_that_keeps_values(
    influxdb: InfluxDB, grafana: tuple[str, Calls], tmp_path: Path
) -> None:
    page, (url, calls) = Page("docs/how-to/influxdb.md"), grafana
    run("cityvitals init town --timezone UTC", tmp_path)
    (tmp_path / "token").write_text("a token\n")
    address = f"127.0.0.1:{influxdb.port}"
    settings = page.code("toml").replace("localhost:8086/cityvitals", f"{address}/{influxdb.create('page')}")
    (tmp_path / "cityvitals.toml").write_text(f'city_files = ["town/city.toml"]\n{settings}')
    exported = shlex.split(page.take("export").removeprefix("export "))[0].split("=")
    token = {exported[0]: str(tmp_path / exported[1].rpartition("_")[2])}
    examined = run(page.take("cityvitals doctor"), tmp_path, codes=(0, 1), environment=token)
    assert re.search(rf"^ok +store.*{re.escape(address)}", examined, re.M), examined

    removed = shlex.split(page.take("influx -database"), comments=True)
    influxdb.query(removed[removed.index("-execute") + 1], "page")
    assert removed[-1].split()[-1] in page.take("influx delete")

    made_by_compose = (REPO / "deploy" / "influxdb" / "10-cityvitals.sh").read_text(encoding="utf-8")
    for line in (page.take("influx bucket create"), page.take("influx v1 dbrp create")):
        # NOT_HERE in test_every_command.py: they need a server of InfluxDB 2; what compose runs has the same words.
        known = " ".join(made_by_compose.replace("\\\n", " ").split())
        assert line.replace("BUCKET_ID", '"$forever"') in known

    for more in ("", " --alerts"):
        run(here(page.span("cityvitals grafana push"), url) + more, tmp_path, environment=TOKEN)
    assert all("kpi" not in unkept(json.dumps(board)) for board in boards(calls))
    assert len(groups(calls)) == len(GROUPS)

    written = run(page.take("cityvitals grafana build"), tmp_path).split()
    assert {"built/kpis.json", "built/alerting/cityvitals.yaml"} <= set(written)
    mounted = composed(page.take("DASHBOARDS=./built ALERTS=./built/alerting docker compose up -d"), tmp_path)
    assert {str(tmp_path / "built"), str(tmp_path / "built" / "alerting")} <= mounted
    assert page.left == []


def unkept(text: str) -> list[str]:
    """Measurements that queries read from the default policy."""
    return re.findall(r'FROM \\+"(\w+)\\+"', text)


def composed(line: str, folder: Path) -> set[str]:
    """What compose would mount; `config` for `up -d`, because no container is started here."""
    (folder / "docker-compose.yml").write_text((REPO / "docker-compose.yml").read_text(encoding="utf-8"))
    make_secrets.make(folder / "deploy" / "secrets")
    variables, command = line.split(" docker compose up -d", maxsplit=1)[0], shlex.join(compose_command())
    shown = run(f"{variables} {command} config", folder)
    services = yaml.safe_load(shown[shown.index("name:") if shown.startswith("time=") else 0 :])["services"]
    volumes = services["grafana"]["volumes"]  # texts in an older docker-compose
    return {v.split(":")[0] if isinstance(v, str) else v["source"] for v in volumes}


@pytest.mark.timeout(240)
def test_a_server_of_ones_own_is_tested_by_the_command_of_the_page(influxdb: InfluxDB) -> None:
    line = Page("docs/how-to/influxdb.md").span("python -m pytest").replace("8086", str(influxdb.port))
    assert str(influxdb.port) in line
    shown = run(f"{line}/test_heartbeats.py -p no:cacheprovider", REPO)
    assert re.search(r"^[1-9]\d* passed", shown, re.M), shown
