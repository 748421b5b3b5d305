"""Publishes made-up messages at QoS 1 over a bare socket: a client library would be the bottleneck."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from tests.bench.blast import packet

Message = Callable[[int], tuple[str, bytes]]  # the number of a message -> topic and payload
_AHEAD = 2000  # messages without an acknowledgement


class Sender:
    """A client that sends as many messages as it may. `sent`, `acked`: messages so far."""

    def __init__(self, port: int, message: Message) -> None:
        self._link = socket.create_connection(("127.0.0.1", port))
        self._link.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04load")
        self._link.recv(4)
        self._link.setblocking(False)
        self.sent = self.acked = 0
        self._message = message
        self._buffer = b""

    def go_on(self, allowed: int) -> None:
        """Send up to `allowed` messages in all; returns after 10 ms where nothing can be sent or read."""
        parts = [self._buffer]
        size = len(self._buffer)
        while self.sent < allowed and self.sent - self.acked < _AHEAD and size < 200_000:
            parts.append(packet(*self._message(self.sent), self.sent % 65535 + 1))
            size += len(parts[-1])
            self.sent += 1
        self._buffer = b"".join(parts)
        readable, writable, _ = select.select([self._link], [self._link] if self._buffer else [], [], 0.01)
        if writable:
            self._buffer = self._buffer[self._link.send(self._buffer) :]
        if readable:
            self.acked += len(self._link.recv(65536)) // 4
