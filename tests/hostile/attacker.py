"""The hostile process: `python -m tests.hostile.attacker PORT PUSH OCPP SEED SECONDS [ATTACK ...]`.

The ports: of the edge broker, of HTTP push, of OCPP. One valid user at each, at the broker up to 1 MB/s.

Attacks follow each other at random (of those that are named, or of all); what was sent is printed as JSON at the end.
Packets are written to a bare socket: a client library would take a core for itself, which the honest ones need.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from tests.hostile.attacks import ATTACKS, EVIL, Shot
from tests.hostile.doors import Doors

BYTES_A_SECOND = 1 << 20
_OVERHEAD = 20  # bytes of a message beside topic and payload
_UNDER_WAY = 2000  # messages the broker has not acknowledged
_QUEUED = 256 << 10  # bytes that are not written to the socket yet


def attack(port: int, seed: int, seconds: float, names: Sequence[str] = ()) -> tuple[dict[str, int], float]:
    """Send; returns how often each attack began, and the megabytes."""
    rng, done, sent = Random(seed), Counter[str](), 0.0
    link = Wire(port)
    shots: Iterator[Shot] = iter(())
    began = last = time.monotonic()
    allowed = 0.0
    while (now := time.monotonic()) - began < seconds:
        allowed, last = min(allowed + (now - last) * BYTES_A_SECOND, BYTES_A_SECOND), now
        while allowed > 0 and link.ready:
            shot = next(shots, None)
            if shot is None:
                name = rng.choice(sorted(names or ATTACKS))
                done[name] += 1
                shots = ATTACKS[name](rng, time.time_ns() // 1_000_000)
                if rng.random() < 0.1:
                    _take_over(port)
                continue
            link.send(shot)
            size = len(shot.topic) + len(shot.payload) + _OVERHEAD
            allowed, sent = allowed - size, sent + size
        link.work(0.02)
    link.close()
    return dict(done), sent / (1 << 20)


class Wire:
    """A connection that only publishes, at QoS 1; opened again where the broker has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._waiting, self._open, self._number = bytearray(), 0, 0

    @property
    def ready(self) -> bool:
        """Whether another message may be sent."""
        return self._socket is not None and self._open < _UNDER_WAY and len(self._waiting) < _QUEUED

    def send(self, shot: Shot) -> None:
        """Queue a PUBLISH."""
        self._number = self._number % 65535 + 1
        name = shot.topic.encode()
        length = 4 + len(name) + len(shot.payload)
        head = bytearray([0x33 if shot.retain else 0x32])
        while True:
            length, digit = divmod(length, 128)
            head.append(digit | (0x80 if length else 0))
            if not length:
                break
        self._waiting += head + struct.pack("!H", len(name)) + name + struct.pack("!H", self._number) + shot.payload
        self._open += 1

    def work(self, timeout: float) -> None:
        """Write and read for at most `timeout` seconds; connect where there is no connection."""
        if self._socket is None:
            self._connect()
            return
        try:
            readable, writable, _ = select.select([self._socket], [self._socket] if self._waiting else [], [], timeout)
            if writable:
                del self._waiting[: self._socket.send(self._waiting)]
            if readable:
                received = self._socket.recv(1 << 16)
                if not received:
                    raise ConnectionError("closed by the broker")
                self._open -= len(received) // 4  # each PUBACK has 4 bytes; a split one is counted with the next
        except OSError:
            self.close()

    def _connect(self) -> None:
        text = [b"\x00\x04MQTT\x04\xc2\x00\x00", *(struct.pack("!H", len(EVIL)) + EVIL.encode() for _ in range(3))]
        body = b"".join(text)
        with suppress(OSError):
            made = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            made.sendall(bytes([0x10, len(body)]) + body)
            if made.recv(4)[3:] == b"\x00":
                made.setblocking(False)
                self._socket = made
                self._waiting.clear()
                self._open = 0
                return
        time.sleep(0.1)

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _take_over(port: int) -> None:
    """Connect with the client id of the gateway and our own password."""
    thief = Link(Broker("127.0.0.1", port, username=EVIL, password=EVIL), "gateway-1-in", session=False)
    until = time.monotonic() + 1
    while not thief.connected and time.monotonic() < until:
        thief.receive(0.02)
    thief.abort()


if __name__ == "__main__":
    broker, push, ocpp, number = (int(given) for given in sys.argv[1:5])
    doors = Doors(push, ocpp, number)
    if len(sys.argv) == 6 or "doors" in sys.argv[6:]:
        doors.start()
    found, megabytes = attack(broker, number, float(sys.argv[5]), [name for name in sys.argv[6:] if name != "doors"])
    if doors.is_alive():
        doors.close()
    print(json.dumps([found | doors.done, megabytes]))
