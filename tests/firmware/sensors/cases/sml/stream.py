"""SML files with one value."""

from crc_by_bits import crc16
from firmware.sensors import sml
from random_bytes import words

parser = sml.Parser


def frame() -> bytes:
    """A good file."""
    body = b"\x77\x07\x01\x00\x01\x08\x00\xff" + words(8).replace(b"\x1b", b"\x1c")
    whole = b"\x1b" * 4 + b"\x01" * 4 + body + b"\x1b" * 4 + b"\x1a\x00"
    check = crc16(whole, 0x8408) ^ 0xFFFF
    return whole + bytes((check & 255, check >> 8))


def allowed(stream: bytes) -> list:
    """What a parser may find."""
    found = []
    start = stream.find(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01")
    while start >= 0:
        end = stream.find(b"\x1b\x1b\x1b\x1b\x1a", start + 8)
        if end > 0 and len(stream) >= end + 8:
            check = stream[end + 6] + stream[end + 7] * 256
            if check == crc16(stream[start : end + 6], 0x8408) ^ 0xFFFF:
                found.append(stream[start + 8 : end])
        start = stream.find(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", start + 1)
    return found
