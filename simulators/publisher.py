"""Recorded rows as live traffic: SenML packs at QoS 1 over a real broker, as devices send them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from adapters.files.table import Chunk
from adapters.mqtt.link import Link, wait
from telemetry.errors import Unavailable, UsageError
from telemetry.topics import data_topic, valid_id

_PACK = 200  # records in one message
_IN_FLIGHT = 500
_SILENCE = 30.0


def packs(chunk: Chunk) -> Iterator[tuple[str, bytes]]:
    """(device, payload) of a chunk, in its order, up to 200 rows of a device in one message. UsageError: outages."""
    if chunk.is_outages:
        raise UsageError(
            f"{chunk.path}: an outage log is not sent by devices; replay it into a store, without --through."
        )
    open_packs: dict[str, list[dict[str, Any]]] = {}
    for row in chunk.rows():
        device, record = _session(row) if chunk.is_sessions else _measurement(row)
        pack = open_packs.setdefault(device, [])
        pack.append(record)
        if len(pack) == _PACK:
            yield device, msgspec.json.encode(open_packs.pop(device))
    for device, pack in open_packs.items():
        yield device, msgspec.json.encode(pack)


def _measurement(row: Sequence[str]) -> tuple[str, dict[str, Any]]:
    text, device, quantity, value, unit = row
    return device, {"n": quantity, "u": unit, "v": _number(value), "t": _seconds(text)}


def _session(row: Sequence[str]) -> tuple[str, dict[str, Any]]:
    start, end, device, energy, user = row
    record = {"n": "session_energy", "u": "kWh", "v": _number(energy), "t": _seconds(start)}
    if end:
        record["end"] = _seconds(end)
    # Distinguishes sessions of one charger and start; the file has no session id.
    record["key"] = f"{end}|{energy}|{user}"
    return device, record


def _number(text: str) -> float | str:
    """The number; other text is sent unchanged, so that the gateway rejects it with a reason."""
    try:
        return float(text)
    except ValueError:
        return text


def _seconds(text: str) -> float | str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text  # not this machine's local time: the gateway rejects it
    stamp = moment.timestamp()
    return int(stamp) if stamp == int(stamp) else stamp


class Publisher:
    """Publishes with at most 500 unacknowledged messages."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._open: set[int] = set()
        self.messages = 0

    def send(self, city: str, device: str, payload: bytes) -> None:
        """Queue one message; waits while too many are unacknowledged."""
        self._open.add(self._link.publish(data_topic(city, device if valid_id(device) else "invalid"), payload))
        self.messages += 1
        self.settle(_IN_FLIGHT)

    def settle(self, remaining: int = 0) -> None:
        """Wait until at most `remaining` messages are unacknowledged. Raises Unavailable after 30 s of silence."""
        last = time.monotonic()
        while len(self._open) > remaining:
            wait([self._link], 0.1)
            done = self._link.delivered()
            self._open.difference_update(done)
            if done:
                last = time.monotonic()
            elif time.monotonic() - last > _SILENCE:
                raise Unavailable(f"{self._link.broker} does not acknowledge messages; is it running?")
