"""paho's client, extended to read in blocks and to write many acknowledgements at once.

paho makes three system calls to read a packet and one for each PUBACK; at tens of thousands of messages a second those
calls are half the work. This overrides one private method of paho 2.x and calls another;
`tests/adapters/test_mqtt.py` fails when a new version no longer has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

_BLOCK = 1 << 16
_PUBACK = 0x40


class BulkClient(paho.Client):
    """For one thread that calls `loop_read` and `loop_write` itself."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - paho's own
        self._block, self._place = b"", 0
        super().__init__(*args, **options)

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._place >= len(self._block):
            block = super()._sock_recv(_BLOCK)
            if len(block) <= bufsize:
                return block
            self._block, self._place = block, 0
        start, self._place = self._place, min(self._place + bufsize, len(self._block))
        return self._block[start : self._place]

    @property
    def has_unread(self) -> bool:
        """Whether bytes were read from the socket and not parsed yet; select does not report them."""
        return self._place < len(self._block) and self.socket() is not None

    def reconnect(self) -> MQTTErrorCode:
        """See paho; bytes of the old connection are discarded."""
        self._block, self._place = b"", 0
        return super().reconnect()

    def acknowledge(self, mids: Iterable[int]) -> None:
        """Queue the PUBACKs of these messages as one write; of MQTT 5 in the short form, which means success."""
        packets = b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)
        if packets:
            self._packet_queue(_PUBACK, packets, 0, 0)
