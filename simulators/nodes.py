"""Simulated nodes: each with a connection, a boot id and sequence numbers of its own, publishing like the firmware."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, Message, wait
from registry.city import City, Device
from simulators.faults import Fault, sessions_with, with_fault
from simulators.journal import Journal, Record, payload
from simulators.synthetic import columns, sessions
from telemetry.quantities import QUANTITIES
from telemetry.topics import ROOT, command_topic, data_topic
from telemetry.windows import DAY

_PACK = 50  # records in one message when they are resent


@dataclass(slots=True)
class Node:
    """One node. `next_at`: time of its next measurement, ms UTC. `fault`: what is wrong with it."""

    device: Device
    city: str
    link: Link
    journal: Journal
    next_at: int
    sessions_until: int = 0
    sent: int = 0
    acknowledged: int = 0
    fault: Fault | None = None

    def read(self, now: int) -> list[Record]:
        """The records of one measurement at `now`, and of the sessions that ended since the last one."""
        t = np.array([now], dtype=np.int64)
        entries: list[dict[str, Any]] = [
            {"n": c.quantity, "u": QUANTITIES[c.quantity].unit, "v": float(c.value[0])}
            for c in with_fault(columns(self.device, t), self.fault)
            if len(c.t)
        ]
        if entries:
            entries[0] = {"bt": now / 1000, **entries[0]}
        return [self.journal.write(e) for e in ([entries] if entries else []) + self._ended_sessions(now)]

    def _ended_sessions(self, now: int) -> list[list[dict[str, Any]]]:
        if "session_energy" not in self.device.quantities:
            return []
        since, self.sessions_until = self.sessions_until, now
        found = sessions_with(sessions(self.device.id, since - DAY, now), self.fault)
        ended = [s for s in found if since <= s.end < now]
        return [
            [{"n": "session_energy", "u": "kWh", "v": s.energy, "bt": s.start / 1000, "end": s.end / 1000,
              "key": f"{self.device.id}-{s.start}"}]
            for s in ended
        ]  # fmt: skip

    def publish(self, now: int, interval: int) -> None:
        """Measure and send if due."""
        if self.fault and self.fault.kind == "garbled" and not self.sent:
            self._send_garbled(now)
        self.send(self.read(now))
        self.next_at += max(1, (now - self.next_at) // interval + 1) * interval

    def _send_garbled(self, now: int) -> None:
        found = columns(self.device, np.array([now - 1000], dtype=np.int64))
        entries: list[dict[str, Any]] = [{"n": c.quantity, "v": f"{c.value[0]:.1f}".replace(".", ",")} for c in found]
        entries[0] = {"bt": now / 1000 - 1, **entries[0]}
        self.link.publish(data_topic(self.city, self.device.id), msgspec.json.encode(entries))

    def send(self, records: Iterable[Record]) -> None:
        """Send records, 50 a message."""
        for pack in _packs(records):
            mid = self.link.publish(data_topic(self.city, self.device.id), payload(pack))
            self.journal.sent(mid, pack)
            self.sent += 1

    def settle(self) -> None:
        """Process acknowledgements and commands."""
        self.acknowledged += len(self.journal.acknowledged(self.link.delivered()))
        commands = self.link.received()
        for command in commands:
            self._execute(command)
        self.link.ack(commands)

    def _execute(self, message: Message) -> None:
        """`resend`, as in edge/firmware/remote/commands.py."""
        answer: dict[str, Any] = {"id": None, "ok": False}
        try:
            command = json.loads(message.payload)
            answer["id"] = command.get("id")
            if command["cmd"] != "resend":
                raise ValueError("unknown command; known: resend")
            found = self.journal.find(command["boot"], command["from"], command["to"])
            self.send(found)
            answer |= {"ok": True, "found": len(found)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            answer["reason"] = str(error)
        self.link.publish(f"{command_topic(self.city, self.device.id)}/answer", msgspec.json.encode(answer))


def _packs(records: Iterable[Record]) -> Iterator[list[Record]]:
    rest = iter(records)
    while pack := list(islice(rest, _PACK)):
        yield pack


def make_nodes(
    city: City, broker: Broker, interval_ms: int, now: int, faults: Mapping[str, Fault], more: Sequence[Device] = ()
) -> list[Node]:
    """A node for each device of the city and of `more`; their measurements are spread over the interval.

    `{device}` in the broker's user name is the device's id.
    """
    nodes = []
    devices = [*city.device, *more]
    for place, device in enumerate(devices):
        own = replace(broker, username=broker.username and broker.username.replace("{device}", device.id))
        link = Link(own, f"{city.id}-{device.id}", [command_topic(city.id, device.id)])
        link.set_will(f"{ROOT}/{city.id}/{device.id}/status", b'{"state":"offline"}')
        first = now + interval_ms * place // len(devices)
        fault = faults.get(device.id)
        nodes.append(
            Node(device, city.id, link, Journal(random.getrandbits(31)), first, sessions_until=now, fault=fault)
        )
    return nodes


def run(nodes: list[Node], interval_ms: int, clock: Callable[[], int], stop: Callable[[], bool]) -> None:
    """Run the nodes until `stop` returns True."""
    while not stop():
        wait([n.link for n in nodes], 0.2)
        now = clock()
        for node in nodes:
            node.settle()
            if now >= node.next_at and node.link.connected:
                node.publish(now, interval_ms)
    for node in nodes:
        node.link.close()
