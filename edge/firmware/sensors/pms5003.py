"""Plantower PMS5003 particle sensor (also PMS7003, PMSA003): 9600 baud, a 32-byte frame about once a second.

Frame: 42 4D, length 28, thirteen big-endian u16 (three PM values for CF=1, three for ambient air, six particle
counts, version and error), sum of the first 30 bytes. The ambient values are the ones reported.
"""

import struct

from micropython import const

from ..frames import Frames
from ..serialport import SerialPort

_SILENCE_MS = const(4000)


def checked(frame):
    """True when 32 bytes are a whole frame."""
    return frame[:4] == b"\x42\x4d\x00\x1c" and sum(frame[:30]) == frame[30] << 8 | frame[31]


def frames():
    """Return what cuts the frames out of a byte stream."""
    return Frames(b"\x42\x4d", 32, checked)


def words(frame):
    """The 13 integers of a frame."""
    return struct.unpack(b">13H", frame[4:30])


class Driver:
    """Options: `port` (UART number)."""

    def __init__(self, board, options):
        self._port = SerialPort(board, options, 9600)

    async def read(self):
        """Return pm1, pm2_5 and pm10 of the next whole frame."""
        got = words(await frames().next(self._port, _SILENCE_MS))
        return [("pm1", got[3], 0), ("pm2_5", got[4], 0), ("pm10", got[5], 0)]
