"""The offset of this machine's clock from a time server (SNTP, RFC 4330)."""

from __future__ import annotations

import socket
import struct
import time
from urllib.parse import urlsplit

_SINCE_1900 = 2_208_988_800
_PORT = 123


def offset(server: str, timeout: float = 3.0) -> float:
    """Seconds to add to this clock to get the server's time. Raises OSError.

    `server`: `host`, `host:port`, `[address]:port` or an address alone, also of IPv6.
    """
    host, port = _place(server)
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        link.settimeout(timeout)
        sent = time.time()
        link.sendto(b"\x23" + bytes(47), address)
        answer = link.recv(64)
        received = time.time()
    if len(answer) < 48:
        raise OSError("the answer is too short")
    took, left = (_seconds(answer, place) for place in (32, 40))
    return ((took - sent) + (left - received)) / 2


def _place(server: str) -> tuple[str, int]:
    if server.count(":") > 1 and "[" not in server:
        return server, _PORT
    try:
        parts = urlsplit(f"//{server}")
        return parts.hostname or "", parts.port or _PORT
    except ValueError as error:
        raise OSError(f"'{server}' is not a valid server; use host or host:port") from error


def _seconds(packet: bytes, place: int) -> float:
    whole, part = struct.unpack_from("!II", packet, place)
    return float(whole - _SINCE_1900 + part / 2**32)
