"""Who may do what on the brokers we ship: the real Mosquitto with the access rules and configuration of deploy/."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import paho.mqtt.client as paho
import pytest

from deploy import make_secrets
from tests.certificates import Authority
from tests.servers import Mosquitto, free_port

DEPLOY = Path(make_secrets.__file__).parent
NOT_AUTHORISED = 135
TAKEN = (0, 16)  # success; success, though nobody listens


@contextmanager
def connected(
    broker: Mosquitto, user: str, folder: Path | None = None, port: int = 0, **tls: str
) -> Iterator[paho.Client]:
    """An MQTT 5 client, which is told of refusals; its password is in `folder`, or it has a certificate."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    outcome: SimpleQueue[Any] = SimpleQueue()
    client.on_connect = lambda _c, _u, _f, reason, _p: outcome.put(reason)
    if folder:
        client.username_pw_set(user, (folder / f"password-{user}").read_text())
    if tls:
        client.tls_set(**tls)
    client.connect(broker.host, port or broker.port)
    client.loop_start()
    try:
        assert outcome.get(timeout=5) == "Success"
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(client: paho.Client, topic: str) -> int:
    """The reason code with which the broker answered a QoS 1 message."""
    answered = threading.Event()
    codes: list[int] = []

    def on_publish(_client: Any, _userdata: Any, _mid: Any, reason: Any, _properties: Any) -> None:
        codes.append(reason.value)
        answered.set()

    client.on_publish = on_publish
    client.publish(topic, b"{}", qos=1)
    assert answered.wait(10), f"no answer to a message on {topic}"
    return codes[0]


def listen(client: paho.Client, topics: str) -> SimpleQueue[str]:
    """Subscribe and return the queue in which the topics of what arrives appear."""
    arrived: SimpleQueue[str] = SimpleQueue()
    subscribed = threading.Event()
    client.on_message = lambda _c, _u, message: arrived.put(message.topic)
    client.on_subscribe = lambda *_: subscribed.set()
    client.subscribe(topics, qos=1)
    assert subscribed.wait(10)
    return arrived


def make_users(folder: Path) -> None:
    """The users the shipped script makes, two devices, and each one's password in a file of its own name."""
    make_secrets.make(folder, demo=True)
    names = make_secrets.EDGE_USERS | make_secrets.HUB_USERS | make_secrets.SIMULATOR
    for user, name in names.items():
        (folder / f"password-{user}").write_text((folder / name).read_text())
    for device in ("aq-001", "aq-002"):
        (folder / f"password-{device}").write_text(make_secrets.enrol(folder, device))
    make_secrets.add_user(folder / "hub.passwd", "gateway-2", "other")
    (folder / "password-gateway-2").write_text("other")


def shipped_broker(folder: Path, name: str) -> Mosquitto:
    """A broker with the users and the access rules of deploy/."""
    rules = f"acl_file {DEPLOY}/mosquitto/{name}.acl\npassword_file {folder}/{name}.passwd"
    return Mosquitto(folder / f"broker-{name}", anonymous=False, extra=rules)


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
        ("aq-001", "cv/1/aberdeen/aq-002/data", False),
        ("aq-001", "cv/1/aberdeen/aq-001/windows", False),
        ("aq-001", "cv/1/aberdeen/aq-001/cmd", False),
        ("aq-001", "cv/1/aberdeen/kpi/EN:EN:AQ:1C/no2", False),
        ("aq-001", "anything/else", False),
        ("gateway", "cv/1/aberdeen/aq-001/data", False),
        ("gateway", "cv/1/aberdeen/aq-001/cmd", False),
        ("operator", "cv/1/aberdeen/aq-001/cmd", True),
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
            publish(operator, "cv/1/aberdeen/aq-002/cmd")
            publish(operator, "cv/1/aberdeen/aq-001/cmd")
        assert arrived.get(timeout=10) == "cv/1/aberdeen/aq-001/cmd"
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
