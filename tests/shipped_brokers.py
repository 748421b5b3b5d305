"""The brokers of deploy/, run by the real Mosquitto, and clients that connect to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from deploy import make_secrets
from tests.servers import Mosquitto

DEPLOY = Path(make_secrets.__file__).parent
NOT_AUTHORISED = 135
TAKEN = (0, 16)  # success; success, though nobody listens


@contextmanager
def connected(
    broker: Mosquitto, user: str, folder: Path | None = None, port: int = 0, **tls: Any
) -> Iterator[paho.Client]:
    """An MQTT 5 client, which gets reasons of refusals; its password is in `folder`, or it has a certificate."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    outcome: SimpleQueue[Any] = SimpleQueue()
    client.on_connect = lambda _c, _u, _f, reason, _p: outcome.put(reason)
    client.on_disconnect = lambda _c, _u, _f, reason, _p: outcome.put(reason)  # a certificate that is refused
    if folder:
        client.username_pw_set(user, (folder / f"password-{user}").read_text())
    if tls:
        client.tls_set(**tls)
    client.connect(broker.host, port or broker.port)
    client.loop_start()
    try:
        assert outcome.get(timeout=60) == "Success"
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
    names = make_secrets.EDGE_USERS | make_secrets.HUB_USERS
    for user, name in names.items():
        (folder / f"password-{user}").write_text((folder / name).read_text())
    for device in ("aq-001", "aq-002"):
        (folder / f"password-{device}").write_text(make_secrets.enrol(folder, device))
    make_secrets.add_user(folder / "hub.passwd", "gateway-2", "other")
    (folder / "password-gateway-2").write_text("other")


def shipped_broker(folder: Path, name: str) -> Mosquitto:
    """A broker with the users and the access rules of deploy/."""
    settings = (DEPLOY / "mosquitto" / f"{name}.conf").read_text().splitlines()
    [bound] = [line for line in settings if line.startswith("use_username_as_clientid")]
    rules = f"{bound}\nacl_file {DEPLOY}/mosquitto/{name}.acl\npassword_file {folder}/{name}.passwd\nlog_type all"
    return Mosquitto(folder / f"broker-{name}", anonymous=False, extra=rules)
