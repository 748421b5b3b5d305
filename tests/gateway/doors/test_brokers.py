"""Several brokers, MQTT 5, QoS 0 and a rebirth request, with real brokers and a gateway in a process of its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.sqlite.blocks import readable
from cityvitals.clock import now_ms
from gateway.doors.mqtt import MqttDoor
from gateway.incoming import Incoming
from gateway.source_check import check_sources
from registry.settings import SourceSettings
from telemetry.errors import UsageError
from telemetry.windows import DAY
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway.doors.door_core import DoorCore
from tests.processes import end, wait_for
from tests.servers import Mosquitto

CITY = '[city]\nid = "town"\nname = "Town"\ncountry = "DE"\ntimezone = "Europe/Berlin"\n'
BIRTH = "08809a98c39f34121a0a0b74656d70657261747572651007200a6900000000008034401801"
DATA = "08e0ee9bc39f341212100718e0ee9bc39f346900000000008035401802"


class Bench(Chain):
    """A gateway that reads from two brokers by MQTT 5."""

    def __init__(self, folder: Path, first: Mosquitto, second: Mosquitto) -> None:
        (folder / "town.toml").write_text(CITY)
        super().__init__(folder, folder / "town.toml", first.port, f"sqlite:///{folder}/store.db")
        text = self.config.read_text().replace("broker.url", 'broker.version = "5"\nbroker.url', 1)
        text += f'[[gateway.brokers]]\nurl = "{second.url}"\nversion = "5"\n'
        text += "".join(f'[[gateway.source]]\nfamily = "{f}"\ncity = "town"\n' for f in ("flat_json", "sparkplug_b"))
        self.config.write_text(text)
        self.run("gateway")
        wait_for(lambda: self.log("gateway").count("connected to") >= 3, 60, "all links")

    def rows(self, quantity: str) -> list[float]:
        with readable(sqlite3.connect(f"file:{self.folder}/gateway.db?mode=ro", uri=True)) as db:
            sql = "SELECT value FROM every_reading JOIN buffer_series s ON s.id = series WHERE quantity = ? ORDER BY t"
            return [value for (value,) in db.execute(sql, (quantity,)).fetchall()]


def sender(broker: Mosquitto, topic: str | None = None, got: list[bytes] | None = None) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    if topic is not None and got is not None:
        client.on_connect = lambda c, *_: c.subscribe(topic, 1)
        client.on_message = lambda _c, _d, m: got.append(bytes(m.payload))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    wait_for(client.is_connected, 20, "the sender")
    return client


def message(n: int) -> bytes:
    return b'{"time": %d, "power": %d}' % (1_763_640_000 + n, n)


@pytest.fixture
def bench(server: ServerFactory, tmp_path: Path) -> Iterator[tuple[Bench, Mosquitto, Mosquitto]]:
    first, second = server(Mosquitto), server(Mosquitto)
    made = Bench(tmp_path, first, second)
    yield made, first, second
    made.stop()


def test_messages_of_both_brokers_are_stored_also_after_a_kill(bench: tuple[Bench, Mosquitto, Mosquitto]) -> None:
    made, first, second = bench
    senders = [sender(first), sender(second)]
    for n in range(10):
        senders[n % 2].publish("flat/m1", message(n), qos=1).wait_for_publish(20)
    senders[1].publish("flat/m1", message(10), qos=0).wait_for_publish(20)
    wait_for(lambda: made.rows("power") == [float(n) for n in range(11)], 30, "readings of both brokers")
    end(made.processes["gateway"])
    for n in range(11, 20):  # the brokers keep them for the session
        senders[n % 2].publish("flat/m1", message(n), qos=1).wait_for_publish(20)
    made.run("gateway")
    wait_for(lambda: made.rows("power") == [float(n) for n in range(20)], 60, "what came while it was away")
    for client in senders:
        client.loop_stop()


def test_slow_messages_of_a_further_broker_are_stored_together_with_the_times_at_which_they_came(
    server: ServerFactory, tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    core = DoorCore(tmp_path, {"family": "flat_json"})
    batches, deliver = list[list[int]](), core.inbox.deliver

    def noted(messages: Sequence[Incoming]) -> Future[bool]:
        batches.append([m.arrival for m in messages])
        return deliver(messages)

    core.inbox.deliver = noted  # type: ignore[method-assign]
    core.inbox.due = now_ms() + DAY  # the gateway sends nothing meanwhile
    link = Link(Broker("127.0.0.1", broker.port), "gw-in-2", ["flat/#"])
    door = MqttDoor(link, core.inbox, now_ms)
    door.start()
    client = sender(broker)
    wait_for(lambda: link.subscribed, 20, "the subscription")
    sent = 0
    while not any(
        len(batch) > 2 and len(set(batch)) > 1 for batch in batches
    ):  # some are taken at once until it is known how fast they come
        client.publish("flat/m1", message(sent), qos=1).wait_for_publish(20)
        sent += 1
        assert sent < 500, f"none of {len(batches)} batches is of several messages"
        time.sleep(0.1)
    wait_for(lambda: len(core.values("m1", "power")) == sent, 20, "all messages")
    assert core.values("m1", "power") == [float(n) for n in range(sent)]
    assert all(batch == sorted(batch) for batch in batches if batch[-1])
    core.inbox.due = 0  # and nothing waits for a flush that is due
    before = len(batches)
    for n in range(5):
        client.publish("flat/m1", message(sent + n), qos=1).wait_for_publish(20)
        wait_for(lambda: len(core.values("m1", "power")) == sent + n + 1, 20, "the next message")  # noqa: B023
    assert len(batches) == before + 5
    door.stop()
    core.stop()
    client.loop_stop()


def test_an_edge_node_is_asked_for_its_birth(bench: tuple[Bench, Mosquitto, Mosquitto]) -> None:
    made, first, _ = bench
    got: list[bytes] = []
    client = sender(first, "spBv1.0/grp/NCMD/edge1", got)
    client.publish("spBv1.0/grp/DDATA/edge1/dev1", bytes.fromhex(DATA), qos=1).wait_for_publish(20)
    wait_for(lambda: bool(got), 30, "the request")
    assert got[0].hex() == "121a0a144e6f646520436f6e74726f6c2f52656269727468200b7001"
    client.publish("spBv1.0/grp/DBIRTH/edge1/dev1", bytes.fromhex(BIRTH), qos=1).wait_for_publish(20)
    client.publish("spBv1.0/grp/DDATA/edge1/dev1", bytes.fromhex(DATA), qos=1).wait_for_publish(20)
    wait_for(lambda: made.rows("temperature") == [20.5, 21.5], 30, "both readings")
    client.loop_stop()


def test_a_shared_subscription_is_refused_with_the_reason() -> None:
    source: dict[str, Any] = {"topic": "$share/g/flat/{device}", "format": "flat_json", "city": "town"}
    with pytest.raises(UsageError, match="windows would replace each other"):
        check_sources([SourceSettings.model_validate(source)], ["town"])
