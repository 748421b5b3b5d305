"""The shipped configuration at work: every process as docker-compose.yml starts it, with the shipped access rules.

Only addresses and folders are replaced, and InfluxDB 1.x stands in for InfluxDB 2.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes import end, start
from tests.servers import InfluxDB, Mosquitto, fetch, free_port, wait_for
from tests.shipped_brokers import DEPLOY, connected, listen, make_users, shipped_broker

ROOT = DEPLOY.parent
PORT = free_port()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("deployment")
    make_users(made)
    return made


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[Mosquitto]:
    with shipped_broker(folder, "hub") as broker:
        yield broker


@pytest.fixture(scope="module")
def store(influxdb: InfluxDB) -> str:
    return f"influxdb://{influxdb.host}:{influxdb.port}/{influxdb.create('deployment')}"


@pytest.fixture(scope="module")
def running(folder: Path, hub: Mosquitto, store: str) -> Iterator[Mosquitto]:
    """Gateway, ingest, API and simulators; the edge broker they use."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    with shipped_broker(folder, "edge") as edge:
        places = addresses(edge, hub, store, folder)
        processes = [run(services[name], places, folder) for name in ("gateway", "ingest", "api", "simulators")]
        yield edge
        assert [end(process) for process in processes] == [0, 0, 0, 0]


def addresses(edge: Mosquitto, hub: Mosquitto, store: str, folder: Path) -> dict[str, str]:
    """What differs from the containers, as overrides of single keys."""
    return {
        "CITYVITALS__GATEWAY__BROKER__URL": edge.url,
        "CITYVITALS__GATEWAY__UPLINK__URL": hub.url,
        "CITYVITALS__GATEWAY__BUFFER": str(folder / "gateway.db"),
        "CITYVITALS__INGEST__BROKER__URL": hub.url,
        "CITYVITALS__INGEST__REJECTS": str(folder / "rejects.db"),
        "CITYVITALS__STORE__URL": store,
        "CITYVITALS__API__HOST": "127.0.0.1",
        "CITYVITALS__API__PORT": str(PORT),
        "CITYVITALS__SIMULATE__BROKER__URL": edge.url,
        "CITYVITALS__SIMULATE__INTERVAL_S": "0.5",
    }


def run(service: dict[str, Any], places: dict[str, str], folder: Path) -> Any:
    """Start one service's command with its environment."""
    secrets = {key: value.replace("/run/secrets", str(folder)) for key, value in service["environment"].items()}
    command = [word.replace("/etc/cityvitals", str(DEPLOY)) for word in service["command"]]
    log = folder / f"{command[0]}.log"
    return start([sys.executable, "-m", "cityvitals", *command], log=log, cwd=ROOT, env=secrets | places)


def get(path: str) -> Any:
    try:
        return json.loads(fetch(f"http://127.0.0.1:{PORT}{path}"))
    except OSError:
        return None


def test_what_devices_measure_comes_out_as_an_indicator(running: Mosquitto, hub: Mosquitto, folder: Path) -> None:
    wait_for(lambda: get("/readyz"), 60, "the API to be ready")
    with connected(hub, "viewer", folder) as viewer:
        arrived = listen(viewer, "cv/1/example/kpi/#")
        assert arrived.get(timeout=60).startswith("cv/1/example/kpi/")
    wait_for(lambda: metered() is not None, 60, "metered energy at the API")
    receipt = r"Sending PUBLISH to gateway-1 .*gateway-1/stored"
    wait_for(lambda: re.search(receipt, hub.log.read_text()), 60, "the gateway to hear what is stored")
    for broker in (running, hub):
        assert "Denied PUBLISH" not in broker.log.read_text(), "the access rules refuse what a process of ours does"


def metered() -> float | None:
    values = get("/v1/cities/example/kpis?code=LOCAL:E:METERED") or []
    return max((v["value"] for v in values if v["value"] is not None), default=None)
