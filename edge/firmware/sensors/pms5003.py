"""Plantower PMS5003 particle sensor (also PMS7003, PMSA003): 9600 baud, a 32-byte frame about once a second.

Frame: 42 4D, length 28, thirteen big-endian u16 (three PM values for CF=1, three for ambient air, six particle
counts, version and error), sum of the first 30 bytes. The ambient values are the ones reported; 65535 and a frame with
an error code are missing. Laser and fan last about 8,000 hours, so that the sensor sleeps between measurements and is
woken 30 s before one; the mean of the frames of the last 10 s is reported.
"""

import struct

from micropython import const

from ..buses.frames import Frames
from ..buses.serialport import SerialPort

KIND = "air"
PART = "Plantower PMS5003 (also PMS7003, PMSA003)"
BUS = "uart"
FIRST = True
QUANTITIES = ("pm1", "pm2_5", "pm10")
OPTIONS = {"sleep": True, "sample_s": 1}
WIRING = "5 V supply; its TX to rx, its RX to tx; logic is 3.3 V"
PARTS = ("Plantower PMS5003 with its cable", "1000 uF 10 V at its supply")

_SILENCE_MS = const(4000)
_MISSING = const(65535)


def checked(frame):
    """True when 32 bytes are a whole frame."""
    return frame[:4] == b"\x42\x4d\x00\x1c" and sum(frame[:30]) == frame[30] << 8 | frame[31]


def frames():
    """Return what cuts the frames out of a byte stream."""
    return Frames(b"\x42\x4d", 32, checked)


def words(frame):
    """The 13 integers of a frame."""
    return struct.unpack(b">13H", frame[4:30])


def values(frame):
    """The readings of a frame; OSError when it holds an error code."""
    if frame[29]:
        raise OSError(5, "the sensor reports error 0x%02x" % frame[29])
    got = words(frame)
    pairs = (("pm1", got[3]), ("pm2_5", got[4]), ("pm10", got[5]))
    return [(name, value, 0) for name, value in pairs if value != _MISSING]


def command(code, data):
    """The frame of a command: E1 mode, E2 read, E4 sleep (0) and wake (1)."""
    body = bytes((0x42, 0x4D, code, data >> 8, data & 255))
    total = sum(body)
    return body + bytes((total >> 8, total & 255))


class Driver:
    """Options: `port` (UART number), `sleep` false to keep it running, `sample_s`."""

    LEAD_S = 30
    WINDOW_S = 10
    SAMPLE_S = 1

    def __init__(self, board, options):
        self._port = SerialPort(board, options, 9600)

    async def read(self):
        """Return pm1, pm2_5 and pm10 of the next whole frame."""
        return values(await frames().next(self._port, _SILENCE_MS))

    async def wake(self):
        """Fan and laser on."""
        await self._port.send(command(0xE4, 1))

    async def sleep(self):
        """Fan and laser off."""
        await self._port.send(command(0xE4, 0))
