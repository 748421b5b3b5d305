"""Nova SDS011 particle sensor: 9600 baud, a 10-byte frame a second: AA C0, PM2.5 and PM10 in tenths, id, sum, AB."""

from micropython import const

from ..frames import Frames
from ..serialport import SerialPort

_SILENCE_MS = const(4000)


def checked(frame):
    """True when 10 bytes are a whole measurement."""
    return frame[9] == 0xAB and sum(frame[2:8]) & 255 == frame[8]


def frames():
    """Return what cuts the measurements out of a byte stream."""
    return Frames(b"\xaa\xc0", 10, checked)


def tenths(frame):
    """PM2.5 and PM10 in tenths of ug/m3."""
    return frame[2] | frame[3] << 8, frame[4] | frame[5] << 8


class Driver:
    """Options: `port` (UART number)."""

    def __init__(self, board, options):
        self._port = SerialPort(board, options, 9600)

    async def read(self):
        """Return pm2_5 and pm10 of the next whole frame."""
        pm25, pm10 = tenths(await frames().next(self._port, _SILENCE_MS))
        return [("pm2_5", pm25, 1), ("pm10", pm10, 1)]
