"""Nova SDS011 particle sensor: 9600 baud, a 10-byte frame a second: AA C0, PM2.5 and PM10 in tenths, id, sum, AB.

Laser and fan last about 8,000 hours: the sensor sleeps between measurements and is woken 30 s before one.
"""

from micropython import const

from ..buses.frames import Frames
from ..buses.serialport import SerialPort

KIND = "air"
PART = "Nova SDS011"
BUS = "uart"
QUANTITIES = ("pm2_5", "pm10")
OPTIONS = {"sleep": True, "sample_s": 1}
WIRING = "5 V supply; its TX to rx, its RX to tx"
PARTS = ("Nova SDS011 with its cable", "1000 uF 10 V at its supply")

_SILENCE_MS = const(4000)
_MISSING = const(65535)


def checked(frame):
    """True when 10 bytes are a whole measurement."""
    return frame[9] == 0xAB and sum(frame[2:8]) & 255 == frame[8]


def frames():
    """Return what cuts the measurements out of a byte stream."""
    return Frames(b"\xaa\xc0", 10, checked)


def tenths(frame):
    """PM2.5 and PM10 in tenths of ug/m3."""
    return frame[2] | frame[3] << 8, frame[4] | frame[5] << 8


def command(work):
    """The 19-byte frame that sets sleep (0) or work (1), for a sensor of any id."""
    body = bytes((6, 1, work)) + bytes(10) + b"\xff\xff"
    return b"\xaa\xb4" + body + bytes((sum(body) & 255, 0xAB))


class Driver:
    """Options: `port` (UART number), `sleep` false to keep it running, `sample_s`."""

    LEAD_S = 30
    WINDOW_S = 10
    SAMPLE_S = 1

    def __init__(self, board, options):
        self._port = SerialPort(board, options, 9600)

    async def read(self):
        """Return pm2_5 and pm10 of the next whole frame."""
        pm25, pm10 = tenths(await frames().next(self._port, _SILENCE_MS))
        return [(name, value, 1) for name, value in (("pm2_5", pm25), ("pm10", pm10)) if value != _MISSING]

    async def wake(self):
        """Fan and laser on."""
        await self._port.send(command(1))

    async def sleep(self):
        """Fan and laser off."""
        await self._port.send(command(0))
