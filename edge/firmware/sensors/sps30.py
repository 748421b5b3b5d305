"""Sensirion SPS30 particle sensor on UART: SHDLC frames at 115200 baud.

Frame between two 7E: address, command, state, length, data, inverted sum; 7E 7D 11 13 inside travel as 7D and the
byte with bit 5 flipped. A measurement is ten float32: mass of PM1, 2.5, 4, 10, five numbers, the typical size.
"""

from ..buses.modbus import scaled
from ..buses.serialport import SerialPort

KIND = "air"
PART = "Sensirion SPS30 (UART)"
BUS = "uart"
QUANTITIES = ("pm1", "pm2_5", "pm10")
OPTIONS = {"sleep": True, "sample_s": 1}
WIRING = "5 V supply; UART is selected by leaving SEL open; its TX to rx, its RX to tx"
PARTS = ("Sensirion SPS30", "cable with a ZHR-5 plug")

ANSWER_MS = 1500
_STUFFED = b"\x7e\x7d\x11\x13"
START = b"\x01\x03"  # mode: measure, big-endian floats


def stuffed(content):
    """Return the frame for `address, command, ...` as it goes over the wire."""
    out = bytearray(b"\x7e")
    for byte in content + bytes((~sum(content) & 255,)):
        out += bytes((0x7D, byte ^ 0x20)) if byte in _STUFFED else bytes((byte,))
    return bytes(out) + b"\x7e"


def question(command, data=b""):
    """Return the request frame of a command."""
    return stuffed(bytes((0, command, len(data))) + data)


def unstuffed(wire):
    """Undo the stuffing of what stood between two 7E; None when an escape is broken."""
    out, at = bytearray(), 0
    while at < len(wire):
        byte = wire[at]
        if byte == 0x7D:
            at += 1
            if at == len(wire) or wire[at] ^ 0x20 not in _STUFFED:
                return None
            byte = wire[at] ^ 0x20
        out.append(byte)
        at += 1
    return bytes(out)


class Parser:
    """Cuts answers out of a byte stream."""

    LONGEST = 2 * 262

    def __init__(self):
        self._buf = b""

    def feed(self, data):
        """Return (command, state, data) for each whole answer."""
        pieces = (self._buf + data).split(b"\x7e")
        self._buf = pieces.pop()[-self.LONGEST :]
        answers = [self._answer(unstuffed(piece)) for piece in pieces if piece]
        return [answer for answer in answers if answer]

    @staticmethod
    def _answer(raw):
        if raw is None or len(raw) < 5 or raw[0] != 0 or raw[3] != len(raw) - 5:
            return None
        return (raw[1], raw[2], raw[4:-1]) if ~sum(raw[:-1]) & 255 == raw[-1] else None


def values(data):
    """Turn the 40 bytes of a measurement into readings; NaN is left out."""
    names = (("pm1", 0), ("pm2_5", 4), ("pm10", 12))
    found = [(name, scaled(data[at : at + 4], 2), 2) for name, at in names]
    return [value for value in found if value[1] is not None]


class Driver:
    """Options: `port` (UART number), `sleep` false to keep it running, `sample_s`."""

    LEAD_S = 30
    WINDOW_S = 10
    SAMPLE_S = 1

    def __init__(self, board, options):
        self._board = board
        self._port = SerialPort(board, options, 115200)
        self._running = False

    async def _ask(self, command, data=b""):
        self._port.flush()
        await self._port.send(question(command, data))
        return await self._board.within(self._answer(command), ANSWER_MS)

    async def _answer(self, command):
        parser = Parser()
        while True:
            for got, state, data in parser.feed(await self._port.some(ANSWER_MS)):
                if got == command:
                    return state, data

    async def wake(self):
        """Begin to measure: fan and laser on."""
        await self._ask(0x00, START)
        self._running = True

    async def sleep(self):
        """Fan and laser off."""
        self._running = False
        await self._ask(0x01)

    async def read(self):
        """Return pm1, pm2_5 and pm10; nothing while the sensor has no new measurement."""
        if not self._running:
            await self._ask(0x00, START)
            self._running = True
            await self._board.sleep_ms(1500)
        state, data = await self._ask(0x03)
        if state & 0x7F or len(data) not in (0, 40):
            self._running = False  # it was reset, or another sensor is connected: start it at the next reading
            raise OSError(5, "state 0x%02x, %d bytes" % (state, len(data)))
        return values(data) if data else []
