"""PMS5003."""

import struct

from firmware.sensors import pms5003
from random_bytes import words

parser = pms5003.frames


def frame() -> bytes:
    """A good frame."""
    body = b"BM\x00\x1c" + words(13)
    return body + struct.pack(">H", sum(body))


def allowed(stream: bytes) -> list:
    """What a parser may find."""
    found = []
    for at in range(len(stream) - 31):
        part = stream[at : at + 32]
        if part[0] == 0x42 and part[1] == 0x4D and part[2] * 256 + part[3] == 28:
            total = 0
            for byte in part[:30]:
                total += byte
            if total == part[30] * 256 + part[31]:
                found.append(part)
    return found
