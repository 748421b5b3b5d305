"""OpenEVSE lines."""

import random

from firmware.sensors import openevse

parser = openevse.Parser


def frame() -> bytes:
    """A good line."""
    text = b"$OK %d %d" % (random.randrange(100000), random.randrange(1000))
    check = 0
    for byte in text:
        check ^= byte
    return text + b"^%02X\r" % check


def allowed(stream: bytes) -> list:
    """What a parser may find."""
    found = []
    for piece in stream.split(b"\r"):
        part = piece[piece.rfind(b"$") :] if b"$" in piece else b""
        check = 0
        for byte in part[:-3]:
            check ^= byte
        try:
            if part[-3:-2] == b"^" and int(part[-2:], 16) == check:
                found.append(part[1:-3].decode().split())
        except (ValueError, UnicodeError):
            pass
    return found
