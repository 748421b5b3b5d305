"""Decrypts a telegram: ciphered.py FILE KEY [AUTH_KEY]; FILE holds it in hexadecimal.

Prints the plain text of whole frames. Runs on MicroPython.
"""

import asyncio
import sys
from binascii import unhexlify

from firmware.buses import ciphered


class Board:
    """Only sleeps."""

    async def sleep_ms(self, ms: int) -> None:
        """Wait."""
        await asyncio.sleep_ms(ms)  # type: ignore[attr-defined]


async def main() -> None:
    """In pieces of 100 bytes, with noise in front."""
    frames = ciphered.Frames(*sys.argv[2:])
    with open(sys.argv[1]) as file:  # noqa: PTH123
        data, out = b"\xdb\x00noise" + unhexlify(file.read()), b""
    for at in range(0, len(data), 100):
        out += await frames.feed(Board(), data[at : at + 100])
    print(out.decode())


asyncio.run(main())
