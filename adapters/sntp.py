"""How far this machine's clock is from a time server's (SNTP, RFC 4330)."""

from __future__ import annotations

import socket
import struct
import time

_SINCE_1900 = 2_208_988_800


def offset(server: str, timeout: float = 3.0) -> float:
    """Seconds to add to our clock to get the server's; `server`: `host` or `host:port`. Raises OSError."""
    host, _, port = server.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(timeout)
        sent = time.time()
        link.sendto(b"\x23" + bytes(47), (host, int(port or 123)))
        answer = link.recv(64)
        received = time.time()
    if len(answer) < 48:
        raise OSError("the answer is too short")
    took, left = (_seconds(answer, place) for place in (32, 40))
    return ((took - sent) + (left - received)) / 2


def _seconds(packet: bytes, place: int) -> float:
    whole, part = struct.unpack_from("!II", packet, place)
    return float(whole - _SINCE_1900 + part / 2**32)
