"""Nova SDS011 particle sensor: 9600 baud, a 10-byte frame a second: AA C0, PM2.5 and PM10 in tenths, id, sum, AB."""

from ..serialport import SerialPort

FRAME_LEN = 10
SILENCE_MS = 4000


def checked(frame):
    """True when 10 bytes are a whole measurement."""
    return frame[:2] == b"\xaa\xc0" and frame[9] == 0xAB and sum(frame[2:8]) & 255 == frame[8]


class Parser:
    """Cuts measurements out of a byte stream."""

    def __init__(self):
        self._buf = b""

    def feed(self, data):
        """Return (PM2.5, PM10) in tenths of ug/m3 for each frame completed by `data`."""
        buf, out = self._buf + data, []
        while True:
            start = buf.find(b"\xaa")
            buf = buf[start:] if start >= 0 else b""
            if len(buf) < FRAME_LEN:
                break
            if checked(buf[:FRAME_LEN]):
                out.append((buf[2] | buf[3] << 8, buf[4] | buf[5] << 8))
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
        """Return pm2_5 and pm10 of the next whole frame."""
        await self._port.flush()
        return await self._board.within(self._next(Parser()), 3 * SILENCE_MS)

    async def _next(self, parser):
        while True:
            for pm25, pm10 in parser.feed(await self._port.some(SILENCE_MS)):
                return [("pm2_5", pm25, 1), ("pm10", pm10, 1)]
