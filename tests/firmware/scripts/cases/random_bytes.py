"""Random bytes for streams. Runs on any interpreter."""

import random
import struct


def noise(most: int) -> bytes:
    """Random bytes, with those that begin frames more often than chance would have it."""
    starts = b"\x42\x4d\xaa\xc0\x7e\x7d$/!\r\n\x01\x04\x14"
    out = bytearray()
    for _ in range(random.randrange(most + 1)):
        out.append(starts[random.randrange(len(starts))] if random.randrange(3) == 0 else random.randrange(256))
    return bytes(out)


def words(count: int) -> bytes:
    """Random u16, small and large."""
    return b"".join([struct.pack(">H", random.randrange(65536) >> random.randrange(16)) for _ in range(count)])
