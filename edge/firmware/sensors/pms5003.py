"""Plantower PMS5003 particle sensor (also PMS7003, PMSA003): 9600 baud, a 32-byte frame about once a second.

Frame: 42 4D, length 28, thirteen big-endian u16 (three PM values for CF=1, three for ambient air, six particle
counts, version and error), sum of the first 30 bytes. The ambient values are the ones reported.
"""

import struct

from ..serialport import SerialPort

FRAME_LEN = 32
SILENCE_MS = 4000


def checked(frame):
    """True when 32 bytes are a whole frame."""
    return frame[:4] == b"\x42\x4d\x00\x1c" and sum(frame[:30]) == frame[30] << 8 | frame[31]


class Parser:
    """Cuts frames out of a byte stream; a bad one costs one byte, not the frame behind it."""

    def __init__(self):
        self._buf = b""

    def feed(self, data):
        """Return the frames completed by `data`, each as its 13 integers."""
        buf, out = self._buf + data, []
        while True:
            start = buf.find(b"\x42\x4d")
            if start < 0:
                buf = buf[-1:] if buf[-1:] == b"\x42" else b""
                break
            buf = buf[start:]
            if len(buf) < FRAME_LEN:
                break
            if checked(buf[:FRAME_LEN]):
                out.append(struct.unpack(">13H", buf[4:30]))
                buf = buf[FRAME_LEN:]
            else:
                buf = buf[1:]
        self._buf = buf
        return out


class Driver:
    """Options: `port` (UART number)."""

    def __init__(self, board, options):
        self._board = board
        self._port = SerialPort(board, options, 9600)

    async def read(self):
        """Return pm1, pm2_5 and pm10 of the next whole frame."""
        await self._port.flush()
        return await self._board.within(self._next(Parser()), 3 * SILENCE_MS)

    async def _next(self, parser):
        while True:
            for frame in parser.feed(await self._port.some(SILENCE_MS)):
                return [("pm1", frame[3], 0), ("pm2_5", frame[4], 0), ("pm10", frame[5], 0)]
