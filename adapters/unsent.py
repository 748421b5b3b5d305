"""Connections to a store that deliver nothing more once they are closed.

A kernel goes on sending what a closed connection, or a killed process, had written: over a line that was dead for half
a minute the last try may come a minute later. A value of then would replace the newer one that was written meanwhile
over another connection. With SO_LINGER of 0 s the rest is discarded and the server's side is reset (socket(7), tcp(7)).
"""

from __future__ import annotations

import socket
import struct

_OPTION = socket.SOL_SOCKET, socket.SO_LINGER
DISCARD = (*_OPTION, struct.pack("ii", 1, 0))


def discard(descriptor: int, yes: bool) -> None:
    """Whether closing the socket of this file descriptor discards what is not delivered."""
    with socket.fromfd(descriptor, socket.AF_UNSPEC, socket.SOCK_STREAM) as same:
        same.setsockopt(*_OPTION, struct.pack("ii", yes, 0))
