"""Firmware over the air, the operator's side: offers a release to nodes over MQTT, and reads their reports.

The protocol is that of `edge/firmware/remote/ota.py`: retained chunks, then a retained offer signed with each node's
key. A broker acknowledges what its rules forbid, too; so an offer counts as published when a subscription receives it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, Message
from edge.tools import release
from edge.tools.node_enrol import NodeKey
from telemetry.errors import CityVitalsError, Unavailable, UsageError
from telemetry.topics import ROOT
from telemetry.untrusted import printable, read_json

_CONNECT, _QUIET, _STUCK = 10.0, 1.0, 30.0  # seconds
Progress = Callable[[int, int], None]


def make(platform: str, firmware: Path | None, rom: bool = False) -> release.Release:
    """Compile and pack a release; `rom`: a ROMFS image. Raises UsageError where the sources cannot be used."""
    where = firmware or release.FIRMWARE
    if platform not in release.LEFT_OUT:
        raise UsageError(f"There is no platform '{platform}'; valid are: {', '.join(release.LEFT_OUT)}.")
    try:
        return release.release(platform, where, rom)
    except CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UsageError(f"The firmware in {where} does not compile: {' '.join(reason)}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{where} holds no firmware: {error}.") from None


def connect(broker: Broker, filters: Sequence[str]) -> Link:
    """A link that is connected. Raises Unavailable with the reason."""
    link = Link(broker, f"cityvitals-ota-{os.getpid()}", filters, session=False)
    deadline = time.monotonic() + _CONNECT
    while not link.connected:
        if time.monotonic() > deadline:
            link.close()
            raise Unavailable(link.state or f"{broker} does not answer.")
        link.receive(0.1)
    return link


# ---- publish ----


def publish(broker: Broker, made: release.Release, keys: Sequence[NodeKey], progress: Progress) -> dict[str, bytes]:
    """Publish a release for each of the nodes, retained, and remove earlier ones.

    Returns the nodes' reports on `ota/state` from before, by topic. Raises Unavailable, and CityVitalsError naming
    the nodes for which the broker did not accept it.
    """
    topics = {f"{ROOT}/{key.city}/{key.device}/ota": key for key in keys}
    link = connect(broker, [f"{topic}/#" for topic in topics])
    try:
        waiting = dict.fromkeys(f"{topic}/offer" for topic in topics)
        chunks = made.chunks()
        total = len(topics) * (len(chunks) + 1)
        for topic, key in topics.items():
            for end, chunk in chunks.items():
                link.publish(f"{topic}/{end}", chunk, retain=True)
            link.publish(f"{topic}/offer", made.offer(key.key), retain=True)
        old, reports = _come_back(link, waiting, made, lambda done: progress(done, total))
        for topic in old:
            link.publish(topic, b"", retain=True)
        _acknowledged(link, total + len(old))
        return reports
    finally:
        link.close()


def _come_back(
    link: Link, waiting: dict[str, None], made: release.Release, done: Callable[[int], None]
) -> tuple[list[str], dict[str, bytes]]:
    """Read until each new offer has come back; returns the topics of other releases' chunks, and `ota/state` so far."""
    old: dict[str, None] = {}
    reports: dict[str, bytes] = {}
    count, moved = 0, time.monotonic()
    while waiting:
        for message in _take(link, 0.5):
            digest, slash, _ = message.topic.partition("/ota/")[2].partition("/")
            if digest == "state":
                reports |= {message.topic: message.payload} if message.retain else {}
            elif slash and digest != made.sha256[:8]:
                old |= {message.topic: None} if message.payload else {}
            elif not message.retain:
                count, moved = count + 1, time.monotonic()
                done(count)
                waiting.pop(message.topic, None)
        if time.monotonic() - moved > _STUCK:
            devices = ", ".join(topic.split("/")[3] for topic in waiting)
            raise CityVitalsError(
                f"{link.broker} did not accept the update for {devices}. May this user write ota/offer and read ota/#?"
                " See deploy/mosquitto/edge.acl."
            )
    return list(old), reports


def _acknowledged(link: Link, expected: int) -> None:
    """Wait for the broker's acknowledgements."""
    count, moved = 0, time.monotonic()
    while count < expected:
        _take(link, 0.2)
        arrived = len(link.delivered())
        count += arrived
        moved = time.monotonic() if arrived else moved
        if time.monotonic() - moved > _STUCK:
            raise Unavailable(f"{link.broker} acknowledged {count} of {expected} messages ({link.state}); retry.")


def _take(link: Link, timeout: float) -> list[Message]:
    messages = link.receive(timeout)
    link.ack(messages)
    return messages


# ---- reports of the nodes ----


@dataclass
class NodeReport:
    """The reports of one node: its retained `status` and `ota/state`, and what it is offered.

    Values may have any type. `unreadable`: the ends of topics under which no JSON table was found.
    """

    city: str
    device: str
    status: dict[str, Any] = field(default_factory=dict)
    ota: dict[str, Any] = field(default_factory=dict)
    offer: dict[str, Any] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    @property
    def heard(self) -> bool:
        """Whether the node has reported anything; an offer alone is not a report."""
        return bool(self.version or self.unreadable)

    @property
    def bad(self) -> list[str]:
        """The versions it rolled back."""
        given = self.ota.get("bad")
        return given if isinstance(given, list) and all(isinstance(v, str) for v in given) else []

    @property
    def version(self) -> str:
        """The version it runs, as it reports it; while one is on trial this may be the one before."""
        return str(self.status.get("fw") or self.ota.get("fw") or "")

    @property
    def update(self) -> str:
        """State of an update: nothing, offered, on trial, refused and why, rolled back, or unreadable."""
        odd = f"{', '.join(sorted(self.unreadable))} cannot be read" if self.unreadable else ""
        return "; ".join(filter(None, [self._update, odd]))

    @property
    def _update(self) -> str:
        state, version = self.ota.get("state"), self.ota.get("version")
        offered = self.offer.get("version")
        if state == "refused":
            return f"refused {version or offered}: {self.ota.get('reason')}"
        if state == "trial":
            return f"{version} on trial"
        if offered in self.bad:
            return f"{offered} was rolled back"
        return f"{offered} is offered" if offered and offered != self.version else ""


_PLACES = {"status": "status", "ota/state": "ota", "ota/offer": "offer"}


def filters(city: str = "", devices: Iterable[str] = ()) -> list[str]:
    """What to subscribe to for the state of some nodes, or all of a city, or all."""
    return [f"{ROOT}/{city or '+'}/{device}/{end}" for device in list(devices) or ["+"] for end in _PLACES]


def sort_reports(reports: dict[tuple[str, str], NodeReport], messages: Iterable[Message]) -> None:
    """Sort messages by node; a payload that is not a JSON table is noted as unreadable."""
    for message in messages:
        _, _, city, device, end = message.topic.split("/", 4)
        if end not in _PLACES:
            continue
        node = reports.setdefault((city, device), NodeReport(city, device))
        try:
            value = read_json(message.payload or b"{}")
        except ValueError:
            value = None
        readable = isinstance(value, dict)
        setattr(node, _PLACES[end], value if readable else {})
        node.unreadable -= {end}
        node.unreadable |= set() if readable else {end}


def held(link: Link) -> Iterator[Message]:
    """The retained messages of a new link; MQTT does not mark the last one, so read until none arrives for a second."""
    quiet = time.monotonic()
    while time.monotonic() < quiet + _QUIET:
        if messages := _take(link, 0.1):
            yield from messages
            quiet = time.monotonic()


def status(broker: Broker, city: str, devices: Sequence[str]) -> list[NodeReport]:
    """Reports of the nodes that the broker retains."""
    link = connect(broker, filters(city, devices))
    reports: dict[tuple[str, str], NodeReport] = {}
    try:
        sort_reports(reports, held(link))
    finally:
        link.close()
    return [reports[at] for at in sorted(reports) if reports[at].heard]


def running(before: dict[str, bytes], version: str) -> list[str]:
    """The devices that ran this version before it was offered: they accept no other firmware of the same name."""
    reports: dict[tuple[str, str], NodeReport] = {}
    sort_reports(reports, [Message(topic, payload, True, False, 0, 0, 0) for topic, payload in before.items()])
    return [node.device for node in reports.values() if node.version == version]


def follow(
    broker: Broker, version: str, keys: Sequence[NodeKey], before: dict[str, bytes], seconds: float
) -> Iterator[tuple[NodeKey, str]]:
    """Each node with its end of an update as it comes: empty when it runs the version, else why it does not.

    `before`: their reports from before the offer, as `publish` returns it; those are not answers to it.
    """
    waiting = {(key.city, key.device): key for key in keys}
    link = connect(broker, [f for key in keys for f in filters(key.city, [key.device])])
    reports: dict[tuple[str, str], NodeReport] = {}
    deadline = time.monotonic() + seconds
    try:
        while waiting and time.monotonic() < deadline:
            messages = _take(link, 0.5)
            sort_reports(reports, [m for m in messages if not m.retain or before.get(m.topic) != m.payload])
            for at in [at for at in waiting if at in reports]:
                if (end := outcome(reports[at], version)) is not None:
                    yield waiting.pop(at), end
        for at, key in waiting.items():
            yield key, (reports[at].update if at in reports and reports[at].heard else "has not answered yet")
    finally:
        link.close()


def outcome(reports: NodeReport, version: str) -> str | None:
    """None while the update continues; empty when the version is confirmed; else why it is not."""
    state = reports.ota.get("state")
    if state == "running" and reports.ota.get("fw") == version:
        return ""
    if version in reports.bad or (state == "refused" and reports.ota.get("version") in (version, "")):
        return reports.update or f"{version} was rolled back"
    return None


def table(reports: Sequence[NodeReport]) -> str:
    """A table with a header, as text."""
    rows: list[tuple[str, ...]] = [("node", "is", "boot", "runs", "slot", "update")]
    for s in reports:
        state, boot = str(s.status.get("state", "")), str(s.status.get("boot", ""))
        cells = (f"{s.city}/{s.device}", state, boot, s.version, str(s.ota.get("slot", "")), s.update)
        rows.append(tuple(map(printable, cells)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def as_json(reports: Sequence[NodeReport]) -> str:
    """The same for programs. A node is identified by its topic, not by its own report."""
    fields = [
        s.status | {"city": s.city, "device": s.device, "fw": s.version, "ota": s.ota, "update": s.update}
        for s in reports
    ]
    return json.dumps(fields, indent=2) + "\n"
