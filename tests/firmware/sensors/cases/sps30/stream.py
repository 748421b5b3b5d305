"""SPS30 measurement answers."""

from firmware.sensors import sps30
from random_bytes import words

parser = sps30.Parser


def frame() -> bytes:
    """A good frame."""
    return sps30.stuffed(b"\x00\x03\x00\x28" + words(20))


def allowed(stream: bytes) -> list:
    """What a parser may find."""
    found = []
    for piece in stream.split(b"\x7e"):
        part = piece
        escaped = any(part[i] == 0x7D and part[i + 1 : i + 2] not in (b"^", b"]", b"1", b"3") for i in range(len(part)))
        if escaped:
            continue
        for code, byte in ((b"\x7d^", b"\x7e"), (b"\x7d1", b"\x11"), (b"\x7d3", b"\x13"), (b"\x7d]", b"\x7d")):
            part = part.replace(code, byte)
        if len(part) > 4 and part[0] == 0 and part[3] == len(part) - 5 and sum(part[:-1]) % 256 + part[-1] == 255:
            found.append((part[1], part[2], part[4:-1]))
    return found
