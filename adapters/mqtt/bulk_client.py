"""paho's client, extended to read in blocks, to read PUBLISH packets itself, and to write acknowledgements at once.

paho makes three system calls to read a packet and one for each PUBACK, and some fifty Python calls to turn a PUBLISH
into a message: at tens of thousands of messages a second that is half the work. Here a block is read from the socket,
the usual PUBLISH packets of it are read by `publishes.Reader`, and any other whole packet is handed to paho, which also
keeps the connection. This overrides one private method of paho 2.x and calls another;
`tests/adapters/test_mqtt.py` fails when a new version no longer has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ssl import SSLSocket
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from adapters.mqtt.publishes import Message, Reader

_BLOCK = 1 << 16
_PUBACK = 0x40


class BulkClient(paho.Client):
    """For one thread that calls `read_messages` and `loop_write` itself."""

    def __init__(self, *args: Any, foreign: Callable[[str], bool] | None = None, **options: Any) -> None:  # noqa: ANN401 - paho's own
        self.reader = Reader(options.get("protocol") == paho.MQTTv5, foreign)
        self._clear()
        super().__init__(*args, **options)

    def _clear(self) -> None:
        self.reader.taken_acks()
        self._block = b""
        self._place = self._handed = 0  # where the first unread packet begins; paho may read up to `handed`
        self._pieces: list[bytes] = []  # read after the block, as long as its last packet is incomplete
        self._size = self._wanted = 0  # bytes of block and pieces; how many the first packet has

    def _sock_recv(self, bufsize: int) -> bytes:
        """For paho: bytes of the packet that it was handed; without one, read a block and raise BlockingIOError."""
        if self._place < self._handed:
            start, self._place = self._place, min(self._place + bufsize, self._handed)
            return self._block[start : self._place]
        if self._handed:
            raise BlockingIOError
        block = super()._sock_recv(_BLOCK)
        if not block:
            return block  # the connection has ended
        self._pieces.append(block)
        self._size += len(block)
        raise BlockingIOError

    def read_messages(self, out: list[Message], limit: int, of: Callable[[], tuple[int, str, int]]) -> bool:
        """Read what is there, at most one block; append messages to `out`, up to `limit`. See `Reader.read`.

        Returns whether anything was read.
        """
        before = self._size
        if not self.has_unread:
            self.loop_read()
        return self._parse(before, out, limit, of)

    def collect(self, most: int) -> bytes:
        """What is on the socket, for `add`; empty where that is nothing, or the connection has ended."""
        block = self._some(most)  # a buffer of a whole block costs more than the rest of it
        if block and isinstance(at := self.socket(), SSLSocket) and (rest := at.pending()):
            block += self._some(rest)  # the layer has read it, so nobody sees that the socket has anything
        return block

    def _some(self, most: int) -> bytes:
        try:
            return super()._sock_recv(most)
        except OSError:  # nothing is there, or the next read finds the end
            return b""

    def add(self, block: bytes, out: list[Message], limit: int, of: Callable[[], tuple[int, str, int]]) -> None:
        """Read what was collected, after what was collected before; see `read_messages`."""
        before = self._size
        self._pieces.append(block)
        self._size += len(block)
        self._parse(before, out, limit, of)

    def _parse(self, before: int, out: list[Message], limit: int, of: Callable[[], tuple[int, str, int]]) -> bool:
        """Messages of the bytes that were read, which were `before` some ago."""
        if self._size < self._wanted or self.socket() is None:
            return self._size != before
        if self._pieces:
            self._block = b"".join([self._block[self._place :], *self._pieces])
            self._place, self._pieces = 0, []
        read = self._read_block(out, limit, of)
        self._size = len(self._block) - self._place
        return read or self._size != before

    def _read_block(self, out: list[Message], limit: int, of: Callable[[], tuple[int, str, int]]) -> bool:
        start = self._place
        while self.socket() is not None:
            self._place, end = self.reader.read(self._block, self._place, out, limit, of())
            self._wanted = end - self._place
            if end > len(self._block) or len(out) >= limit:
                break
            self._hand_over(end)
        return self._place != start

    def _hand_over(self, end: int) -> None:
        """Let paho read the packet that ends at `end`."""
        self._handed = end
        try:
            while self._place < end and self.socket() is not None:
                self.loop_read()
        finally:
            self._handed = 0

    @property
    def has_unread(self) -> bool:
        """Whether a whole packet was read from the socket and not parsed yet; select does not report it."""
        return 0 < self._wanted <= self._size and self.socket() is not None

    def reconnect(self) -> MQTTErrorCode:
        """See paho; bytes of the old connection are discarded."""
        self._clear()
        return super().reconnect()

    def acknowledge(self, messages: Iterable[Message]) -> None:
        """Queue the PUBACKs of these messages, and of what was passed over before them, as one write; of MQTT 5 in the
        short form, which means success.
        """
        self.queue_acks(b"".join([m.first + b"\x40\x02" + m.mid.to_bytes(2, "big") for m in messages]))

    def queue_acks(self, packets: bytes) -> None:
        """Queue PUBACKs."""
        if packets:
            self._packet_queue(_PUBACK, packets, 0, 0)
