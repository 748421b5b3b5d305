"""Who may do what on the brokers we ship: the real Mosquitto with the access rules and configuration of deploy/."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from edge.tools import enrol
from tests.processes import wait_for
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
            assert arrived.get(timeout=60) == f"cv/1/aberdeen/aq-001/{end}"
        assert arrived.empty()


def test_the_gateway_hears_every_device(edge: Mosquitto, users: Path) -> None:
    with connected(edge, "gateway", users) as gateway, connected(edge, "aq-002", users) as device:
        arrived = listen(gateway, "cv/1/+/+/data")
        assert publish(device, "cv/1/aberdeen/aq-002/data") == 0
        assert arrived.get(timeout=60) == "cv/1/aberdeen/aq-002/data"


def test_one_gateway_does_not_hear_another(hub: Mosquitto, users: Path) -> None:
    with connected(hub, "gateway-1", users) as one, connected(hub, "gateway-2", users) as two:
        arrived = listen(one, "#")
        with connected(hub, "ingest", users) as ingest:
            taken = listen(ingest, "cv/1/+/+/windows")
            assert publish(two, "cv/1/aberdeen/gateway-2/windows") == 0
            assert taken.get(timeout=60) == "cv/1/aberdeen/gateway-2/windows"
        assert arrived.empty()


def test_a_gateway_hears_which_of_its_windows_are_stored(hub: Mosquitto, users: Path) -> None:
    with connected(hub, "gateway-1", users) as gateway, connected(hub, "ingest", users) as ingest:
        arrived = listen(gateway, "cv/1/+/+/stored")
        for name in ("gateway-2", "gateway-1"):
            publish(ingest, f"cv/1/aberdeen/{name}/stored")
        assert arrived.get(timeout=60) == "cv/1/aberdeen/gateway-1/stored"
        assert arrived.empty()


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the shipped listener names, as `cityvitals enrol` makes them, and two devices' certificates."""
    pki, folder, now = tmp_path_factory.mktemp("pki"), tmp_path_factory.mktemp("access"), enrol.utc_now()
    enrol.make_authorities(pki, "aberdeen", now)
    server = enrol.enrol(pki, "broker", "edge", now, hosts=["localhost", "127.0.0.1"])
    files = {"server.crt": server.certificate, "server.key": server.key, "ca.crt": pki / "devices-ca.crt"}
    for name in ("aq-001", "aq-002"):
        device = enrol.enrol(pki, "device", name, now)
        files |= {f"{name}.crt": device.certificate, f"{name}.key": device.key}
    files |= {"broker-ca.crt": pki / "infrastructure-ca.crt", "crl.pem": pki / "devices-crl.pem"}
    for name, path in files.items():
        (folder / name).write_bytes(path.read_bytes())
    (folder / "after.pem").write_bytes(enrol.revoke(pki, "aq-002", now).listed.read_bytes())
    return folder


def tls(access: Path, name: str) -> dict[str, Any]:
    return {
        "ca_certs": f"{access}/broker-ca.crt", "certfile": f"{access}/{name}.crt", "keyfile": f"{access}/{name}.key",
    }  # fmt: skip


def listening(server: Any, access: Path) -> tuple[Mosquitto, int]:
    """The shipped TLS listener on a free port of the loopback interface."""
    port = free_port()
    listener = (DEPLOY / "mosquitto" / "tls.conf").read_text().replace("listener 8883", f"listener {port} 127.0.0.1")
    rules = f"acl_file {DEPLOY}/mosquitto/edge.acl\n{listener.replace('/mosquitto/access', str(access))}"
    return server(Mosquitto, anonymous=False, extra=rules), port


def test_a_certificate_stands_for_user_name_and_password(server: Any, access: Path) -> None:
    broker, port = listening(server, access)
    with connected(broker, "", port=port, **tls(access, "aq-001")) as device:
        assert publish(device, "cv/1/aberdeen/aq-001/data") in TAKEN
        assert publish(device, "cv/1/aberdeen/aq-002/data") == NOT_AUTHORISED
    context = ssl.create_default_context(cafile=f"{access}/broker-ca.crt")
    with (
        socket.create_connection((broker.host, port), timeout=60) as plain,
        pytest.raises(OSError, match="certificate"),
        context.wrap_socket(plain, server_hostname="localhost") as intruder,
    ):
        intruder.recv(1)


def test_no_certificate_takes_over_the_session_of_another(server: Any, access: Path) -> None:
    broker, port = listening(server, access)

    def link(name: str, client_id: str, session: bool = True) -> Link:
        own = {"ca": access / "broker-ca.crt", "cert": access / f"{name}.crt", "key": access / f"{name}.key"}
        place = Broker("localhost", port, True, None, "", own["ca"], own["cert"], own["key"])
        return Link(place, client_id, ["cv/1/aberdeen/aq-002/cmd"], session=session)

    victim = link("aq-002", "aq-002")
    wait_for(lambda: victim.receive(0.05) or "connected" in victim.state, 20, "the victim's subscription")
    for _ in range(5):
        thief = link("aq-001", "aq-002", session=False)
        wait_for(partial(is_up, thief), 20, "the other's connection")
        victim.receive(0.2)
        assert (victim.connected, victim.epoch) == (True, 1)
        thief.abort()
    with connected(broker, "", port=port, **tls(access, "aq-002")):  # its own second connection does end the first
        wait_for(lambda: victim.receive(0.05) or victim.epoch > 1, 20, "the end of the first connection")
    assert victim.epoch == 2
    victim.close()


def test_the_shipped_listener_refuses_whom_the_list_names(server: Any, access: Path) -> None:
    broker, port = listening(server, access)
    with connected(broker, "", port=port, **tls(access, "aq-002")):
        pass  # the empty list of a new authority refuses nobody
    (access / "crl.pem").write_bytes((access / "after.pem").read_bytes())
    broker.restart()
    with connected(broker, "", port=port, **tls(access, "aq-001")):
        pass
    with pytest.raises((OSError, AssertionError)), connected(broker, "", port=port, **tls(access, "aq-002")):
        pass


def is_up(link: Link) -> bool:
    """Whether the link is connected, after it has read what came."""
    link.receive(0.02)
    return link.connected


@pytest.mark.parametrize(("name", "user", "victim"), [("edge", "aq-001", "gateway"), ("hub", "gateway-2", "ingest")])
def test_nobody_takes_over_the_session_of_another(
    edge: Mosquitto, hub: Mosquitto, users: Path, name: str, user: str, victim: str
) -> None:
    """With the password of one device and the client id of the gateway, over and over, while messages arrive."""
    broker = edge if name == "edge" else hub
    topic = "cv/1/aberdeen/aq-002/data" if name == "edge" else "cv/1/aberdeen/gateway-1/windows"
    sender = "aq-002" if name == "edge" else "gateway-1"
    place = Broker("127.0.0.1", broker.port, username=victim, password=(users / f"password-{victim}").read_text())
    link = Link(place, f"{victim}-1-in", [topic])
    received: list[bytes] = []

    def receive() -> bool:
        batch = link.receive(0.05)
        received.extend(m.payload for m in batch)
        link.ack(batch)
        return len(received) == 40

    wait_for(lambda: link.receive(0.05) or "connected" in link.state, 10, "the victim's subscription")
    thief = Broker("127.0.0.1", broker.port, username=user, password=(users / f"password-{user}").read_text())
    with connected(broker, sender, users) as client:
        for number in range(40):
            if number % 4 == 0:
                stealing = Link(thief, f"{victim}-1-in", session=False)
                wait_for(partial(is_up, stealing), 10, "the other's connection")
                stealing.abort()
            client.publish(topic, b"%d" % number, qos=1)
            receive()
        wait_for(receive, 20, "all that was acknowledged")
    link.close()
    assert sorted(map(int, received)) == list(range(40))
    assert link.epoch == 1


@pytest.mark.parametrize("name", ["edge", "hub"])
def test_with_the_rules_that_are_made_nobody_writes_under_a_city_that_is_not_served(
    users: Path, server: Any, name: str
) -> None:
    rules = f"acl_file {users}/{name}.acl\npassword_file {users}/{name}.passwd"
    broker = server(Mosquitto, anonymous=False, extra=rules)
    user, end = ("aq-001", "data") if name == "edge" else ("gateway-1", "windows")
    with connected(broker, user, users) as client:
        assert publish(client, f"cv/1/example/{user}/{end}") in TAKEN
        assert publish(client, f"cv/1/invented/{user}/{end}") == NOT_AUTHORISED


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


@pytest.mark.parametrize("name", ["edge", "hub"])
def test_a_message_too_large_for_the_broker_is_not_acknowledged(name: str, tmp_path: Path) -> None:
    settings = (DEPLOY / "mosquitto" / f"{name}.conf").read_text().splitlines()
    [size] = [line for line in settings if line.startswith(("max_packet_size", "message_size_limit"))]
    with Mosquitto(tmp_path / "broker", extra=size) as broker:
        link = Link(Broker("127.0.0.1", broker.port), "large")
        wait_for(lambda: link.receive(0.05) or link.connected, 10, "the connection")
        link.publish("t", bytes(int(size.split()[1]) + 1))
        answers: list[int] = []

        def ended() -> bool:
            link.receive(0.05)
            answers.extend(link.delivered())
            return bool(answers) or link.epoch > 1

        wait_for(ended, 20, "the end")
        assert not answers
        link.close()
