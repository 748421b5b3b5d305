"""What a hostile client does at the gateway's other doors, HTTP push and OCPP: one thread of the attacker's process.

It comes from another address than this machine's own, for that one is exempt from the bounds of connections.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from random import Random

from tests.hostile.attacks import EVIL

FROM = "127.0.0.2"
PUSH_TOKEN = "push-token"
_TIMEOUT_S = 2.0
_BATCH = 40  # requests or calls, then the next attack
_UPGRADE = (
    f"GET /{EVIL} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic ZXZpbDpldmls\r\n\r\n"
)


class Doors(threading.Thread):
    """Attacks both doors in turn until `close`. `done`: how often each attack began."""

    def __init__(self, push: int, ocpp: int, seed: int) -> None:
        super().__init__(name="doors", daemon=True)
        self._push, self._ocpp, self._rng = push, ocpp, Random(seed)
        self.done, self._over = Counter[str](), threading.Event()

    def close(self) -> None:
        """End."""
        self._over.set()
        self.join(30)

    def run(self) -> None:
        """One attack after another; what the doors answer does not matter."""
        attacks: list[Callable[[], None]] = [
            self._idle, self._slow_body, self._posts, self._calls, self._frames, self._reconnects,
        ]  # fmt: skip
        while not self._over.wait(0.05):
            attack = self._rng.choice(attacks)
            self.done[f"doors: {attack.__name__.strip('_')}"] += 1
            with suppress(OSError):
                attack()

    def _connect(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), _TIMEOUT_S, source_address=(FROM, 0))

    def _idle(self) -> None:
        """More connections than a process may have files, and half a request in some."""
        with ExitStack() as held:
            for _ in range(600):
                link = held.enter_context(self._connect(self._rng.choice((self._push, self._ocpp))))
                with suppress(OSError):
                    link.sendall(self._rng.choice((b"", b"POST /wri")))
            self._over.wait(3.0)

    def _slow_body(self) -> None:
        """Bodies that never end."""
        with ExitStack() as held:
            links = [held.enter_context(self._connect(self._push)) for _ in range(50)]
            head = f"POST /write?precision=ms HTTP/1.1\r\nHost: a\r\nAuthorization: Token {PUSH_TOKEN}\r\n"
            for link in links:
                link.sendall(f"{head}Content-Length: 200000\r\n\r\n".encode())
            for _ in range(20):
                for link in links:
                    link.sendall(b"x" * self._rng.randrange(1, 200))
                self._over.wait(0.1)

    def _posts(self) -> None:
        """Requests of all sizes, with the token and without, each a connection."""
        for _ in range(_BATCH):
            body = self._rng.randbytes(self._rng.choice((0, 10, 10_000, 300_000)))
            if self._rng.random() < 0.5:
                now = time.time_ns() // 1_000_000
                body = b"\n".join(b"meter,device=%d power=%d %d" % (i, i, now - i) for i in range(500))
            token = self._rng.choice((PUSH_TOKEN, "wrong"))
            head = f"POST /write?precision=ms HTTP/1.1\r\nHost: a\r\nAuthorization: Token {token}\r\n"
            with self._connect(self._push) as link:
                link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                link.recv(1000)

    def _station(self) -> socket.socket:
        link = self._connect(self._ocpp)
        link.sendall(_UPGRADE.encode())
        link.recv(1000)
        return link

    def _calls(self) -> None:
        """Transactions that begin and never end, and heartbeats, as quickly as they are answered."""
        with self._station() as link:
            for _ in range(_BATCH * 10):
                start = {"connectorId": 1, "idTag": "x", "meterStart": self._rng.randrange(1 << 31), "timestamp": "now"}
                action, body = self._rng.choice((("StartTransaction", start), ("Heartbeat", {}), ("MeterValues", {})))
                link.sendall(_frame(json.dumps([2, "1", action, body]).encode()))
                link.recv(1000)

    def _frames(self) -> None:
        """What is not OCPP, and what is too large."""
        with self._station() as link:
            for _ in range(_BATCH):
                link.sendall(_frame(self._rng.choice((b"[", b"[2", b"{}", b"[" * 5000, b"x" * (1 << 20)))))

    def _reconnects(self) -> None:
        """A connection after another, under one name."""
        for _ in range(_BATCH):
            self._station().close()


def _frame(text: bytes) -> bytes:
    """A WebSocket frame of a client, masked with zeros."""
    size = len(text)
    if size < 126:
        head = bytes([0x81, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([0x81, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x81, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + text
