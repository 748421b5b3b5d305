"""A broker of MQTT 5 answers that it does not accept a message: the gateway sends what comes next all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from gateway.core import Incoming
from gateway.service import Gateway
from tests.conftest import ServerFactory
from tests.gateway import cores
from tests.gateway.test_housekeeping import Silent
from tests.processes import wait_for
from tests.servers import Mosquitto


class Uplink(Silent):
    """Answers to what is published, one after the other: whether the broker accepts it."""

    def __init__(self, *accepts: bool) -> None:
        self.accepts, self.mids, self.topics = list(accepts), {True: list[int](), False: list[int]()}, list[str]()

    def publish(self, topic: str, _payload: bytes) -> int:
        self.topics.append(topic)
        self.mids[self.accepts.pop(0)].append(len(self.topics))
        return len(self.topics)

    def delivered(self) -> list[int]:
        return [self.mids[True].pop(0)] if self.mids[True] else []

    def rejected(self) -> list[int]:
        return [self.mids[False].pop(0)] if self.mids[False] else []


def test_windows_are_sent_after_a_message_that_the_broker_did_not_accept(tmp_path: Path) -> None:
    core, uplink, source, now = cores.make(tmp_path), Uplink(False, True, True), Silent(), [cores.ARRIVAL]
    links: Any = source, uplink
    made = Gateway("gw", core, links[0], links[1], lambda: now[0], health_ms=1 << 50)
    made._next_health = 1 << 60
    for number in range(3):
        now[0] += 60_000
        core.accept([Incoming("cv/1/aba/s1/data", b'[{"n":"no2","v":1,"t":%d}]' % (now[0] // 1000))], now[0])
        core.cadence.hurry()
        made._send(now[0])
        assert len(uplink.topics) == number + 1
        made._process_receipts()
    assert core.buffer.backlog()[0] == 3  # none is confirmed


def test_a_link_knows_which_messages_the_broker_did_not_accept(server: ServerFactory, tmp_path: Path) -> None:
    (tmp_path / "rules.acl").write_text("topic readwrite allowed\n")
    broker = server(Mosquitto, extra=f"acl_file {tmp_path}/rules.acl")
    link = Link(replace(Broker.parse(broker.url), version="5"), "gw", session=False)
    wait_for(lambda: link.receive(0.05) or link.connected, 10, "the connection")
    denied, allowed = link.publish("denied", b"x"), link.publish("allowed", b"x")
    answers = dict[str, list[int]](delivered=[], rejected=[])

    def answered() -> bool:
        link.receive(0.05)
        answers["delivered"] += link.delivered()
        answers["rejected"] += link.rejected()
        return sum(map(len, answers.values())) >= 2

    wait_for(answered, 10, "two answers")
    link.close()
    assert answers == {"delivered": [allowed], "rejected": [denied]}


def test_acknowledgements_that_nobody_reads_are_bounded() -> None:
    """As those of ingest, which publishes all its life and waits for none."""
    link = Link(Broker.parse("mqtt://127.0.0.1:1"), "ingest", session=False)
    for number in range(200_000):
        link._on_publish(link._client, None, number % 65_535 + 1, None, None)
    assert len(link.delivered()) <= 65_535
    assert link.delivered() == []
