"""Who may do what on the brokers we ship: the real Mosquitto with the access rules and configuration of deploy/."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.servers import Mosquitto, free_port
from tests.shipped_brokers import DEPLOY, NOT_AUTHORISED, TAKEN, connected, listen, make_users, publish, shipped_broker


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    make_users(folder)
    return folder


@pytest.fixture(scope="module")
def edge(users: Path) -> Iterator[Mosquitto]:
    with shipped_broker(users, "edge") as broker:
        yield broker


@pytest.fixture(scope="module")
def hub(users: Path) -> Iterator[Mosquitto]:
    with shipped_broker(users, "hub") as broker:
        yield broker


@pytest.mark.parametrize(
    ("user", "topic", "allowed"),
    [
        ("aq-001", "cv/1/aberdeen/aq-001/data", True),
        ("aq-001", "cv/1/aberdeen/aq-001/status", True),
        ("aq-001", "cv/1/aberdeen/aq-001/log", True),
        ("aq-001", "cv/1/aberdeen/aq-001/cmd/answer", True),
        ("aq-001", "cv/1/aberdeen/aq-001/config/report", True),
        ("aq-001", "cv/1/aberdeen/aq-001/ota/state", True),
        ("aq-001", "cv/1/aberdeen/aq-001/ota/offer", False),
        ("aq-001", "cv/1/aberdeen/aq-002/data", False),
        ("aq-001", "cv/1/aberdeen/aq-002/cmd/answer", False),
        ("aq-001", "cv/1/aberdeen/aq-001/windows", False),
        ("aq-001", "cv/1/aberdeen/aq-001/cmd", False),
        ("aq-001", "cv/1/aberdeen/kpi/EN:EN:AQ:1C/no2", False),
        ("aq-001", "anything/else", False),
        ("gateway", "cv/1/aberdeen/aq-001/data", False),
        ("gateway", "cv/1/aberdeen/aq-001/cmd", True),
        ("operator", "cv/1/aberdeen/aq-001/cmd", True),
        ("operator", "cv/1/aberdeen/aq-001/config", True),
        ("operator", "cv/1/aberdeen/aq-001/ota/offer", True),
        ("operator", "cv/1/aberdeen/aq-001/ota/0a1b2c3d/7", True),
        ("operator", "cv/1/aberdeen/aq-001/data", False),
        ("simulator", "cv/1/aberdeen/aq-002/data", True),
    ],
)
def test_on_the_edge_broker_each_writes_only_its_own(
    edge: Mosquitto, users: Path, user: str, topic: str, allowed: bool
) -> None:
    with connected(edge, user, users) as client:
        assert publish(client, topic) in (TAKEN if allowed else (NOT_AUTHORISED,))


@pytest.mark.parametrize(
    ("user", "topic", "allowed"),
    [
        ("gateway-1", "cv/1/aberdeen/gateway-1/windows", True),
        ("gateway-1", "cv/1/aberdeen/gateway-2/windows", False),
        ("gateway-1", "cv/1/aberdeen/gateway-1/stored", False),
        ("ingest", "cv/1/aberdeen/gateway-1/stored", True),
        ("gateway-1", "cv/1/aberdeen/kpi/EN:EN:AQ:1C/no2", False),
        ("ingest", "cv/1/aberdeen/kpi/EN:EN:AQ:1C/no2", True),
        ("ingest", "cv/1/aberdeen/gateway-1/windows", False),
        ("viewer", "cv/1/aberdeen/kpi/EN:EN:AQ:1C/no2", False),
    ],
)
def test_on_the_hub_each_writes_only_its_own(hub: Mosquitto, users: Path, user: str, topic: str, allowed: bool) -> None:
    with connected(hub, user, users) as client:
        assert publish(client, topic) in (TAKEN if allowed else (NOT_AUTHORISED,))


def test_a_device_hears_its_own_commands_and_nothing_else(edge: Mosquitto, users: Path) -> None:
    with connected(edge, "aq-001", users) as device, connected(edge, "aq-002", users) as other:
        arrived = listen(device, "#")
        assert publish(other, "cv/1/aberdeen/aq-002/data") in TAKEN
        with connected(edge, "operator", users) as operator:
            for end in ("cmd", "config", "ota/offer", "ota/0a1b2c3d/7"):
                publish(operator, f"cv/1/aberdeen/aq-002/{end}")
                publish(operator, f"cv/1/aberdeen/aq-001/{end}")
        for end in ("cmd", "config", "ota/offer", "ota/0a1b2c3d/7"):
            assert arrived.get(timeout=10) == f"cv/1/aberdeen/aq-001/{end}"
        assert arrived.empty()


def test_the_gateway_hears_every_device(edge: Mosquitto, users: Path) -> None:
    with connected(edge, "gateway", users) as gateway, connected(edge, "aq-002", users) as device:
        arrived = listen(gateway, "cv/1/+/+/data")
        assert publish(device, "cv/1/aberdeen/aq-002/data") == 0
        assert arrived.get(timeout=10) == "cv/1/aberdeen/aq-002/data"


def test_one_gateway_does_not_hear_another(hub: Mosquitto, users: Path) -> None:
    with connected(hub, "gateway-1", users) as one, connected(hub, "gateway-2", users) as two:
        arrived = listen(one, "#")
        with connected(hub, "ingest", users) as ingest:
            taken = listen(ingest, "cv/1/+/+/windows")
            assert publish(two, "cv/1/aberdeen/gateway-2/windows") == 0
            assert taken.get(timeout=10) == "cv/1/aberdeen/gateway-2/windows"
        assert arrived.empty()


def test_a_gateway_hears_which_of_its_windows_are_stored(hub: Mosquitto, users: Path) -> None:
    with connected(hub, "gateway-1", users) as gateway, connected(hub, "ingest", users) as ingest:
        arrived = listen(gateway, "cv/1/+/+/stored")
        for name in ("gateway-2", "gateway-1"):
            publish(ingest, f"cv/1/aberdeen/{name}/stored")
        assert arrived.get(timeout=10) == "cv/1/aberdeen/gateway-1/stored"
        assert arrived.empty()


def test_a_certificate_stands_for_user_name_and_password(server: Any, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("server")
    authority.issue("aq-001")
    port = free_port()
    listener = (DEPLOY / "mosquitto" / "tls.conf").read_text().replace("listener 8883", f"listener {port} 127.0.0.1")
    rules = f"acl_file {DEPLOY}/mosquitto/edge.acl\n{listener.replace('/mosquitto/access', str(tmp_path))}"
    broker = server(Mosquitto, anonymous=False, extra=rules)
    certificate = {"certfile": f"{tmp_path}/aq-001.crt", "keyfile": f"{tmp_path}/aq-001.key"}
    with connected(broker, "", port=port, ca_certs=f"{tmp_path}/ca.crt", **certificate) as device:
        assert publish(device, "cv/1/aberdeen/aq-001/data") in TAKEN
        assert publish(device, "cv/1/aberdeen/aq-002/data") == NOT_AUTHORISED
    context = ssl.create_default_context(cafile=f"{tmp_path}/ca.crt")
    with (
        socket.create_connection((broker.host, port), timeout=10) as plain,
        pytest.raises(OSError, match="certificate"),
        context.wrap_socket(plain, server_hostname="localhost") as stranger,
    ):
        stranger.recv(1)


def test_nobody_connects_without_a_password(edge: Mosquitto) -> None:
    with pytest.raises(AssertionError), connected(edge, "aq-001"):
        pass


@pytest.mark.parametrize("name", ["edge", "hub"])
def test_the_shipped_configuration_starts(users: Path, server: Any, name: str) -> None:
    """The container's paths and user are replaced; every other line is the shipped one."""
    own = ("user ", "listener ", "persistence", "autosave", "allow_anonymous", "max_inflight", "max_queued")
    text = (DEPLOY / "mosquitto" / f"{name}.conf").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(own)]
    shipped = "\n".join(lines)
    shipped = shipped.replace("/mosquitto/access/passwd", str(users / f"{name}.passwd"))
    shipped = shipped.replace("/mosquitto/access/acl", str(DEPLOY / "mosquitto" / f"{name}.acl"))
    broker = server(Mosquitto, anonymous=False, extra=shipped)
    with connected(broker, "gateway" if name == "edge" else "gateway-1", users):
        pass
