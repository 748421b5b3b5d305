"""SDS011."""

from firmware.sensors import sds011
from random_bytes import words

parser = sds011.frames


def frame() -> bytes:
    """A good frame."""
    body = words(3)
    return b"\xaa\xc0" + body + bytes((sum(body) % 256, 0xAB))


def allowed(stream: bytes) -> list:
    """What a parser may find."""
    found = []
    for at in range(len(stream) - 9):
        p = stream[at : at + 10]
        if p[0] == 0xAA and p[1] == 0xC0 and p[9] == 0xAB and (p[2] + p[3] + p[4] + p[5] + p[6] + p[7]) % 256 == p[8]:
            found.append(p)
    return found
