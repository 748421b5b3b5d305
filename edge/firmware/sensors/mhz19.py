"""Winsen MH-Z19 carbon dioxide sensor: 9600 baud, nine bytes asked and answered, checksum over bytes 1 to 7.

Its own calibration takes the lowest value of a day for fresh air; the option `auto_calibration` false switches it off
for rooms that are never aired.
"""

from micropython import const

from ..buses.serialport import SerialPort

KIND = "air"
PART = "Winsen MH-Z19B, MH-Z19C"
BUS = "uart"
QUANTITIES = ("co2",)
OPTIONS = {"sample_s": 10, "auto_calibration": True}
WIRING = "5 V supply, peaks of 150 mA; its TX to rx, its RX to tx; logic is 3.3 V"
PARTS = ("MH-Z19C", "100 uF at its supply")

_ANSWER_MS = const(1000)


def framed(command, data=b""):
    """A command with its checksum."""
    body = bytes((0xFF, 1, command)) + data + bytes(5 - len(data))
    return body + bytes((-sum(body[1:]) & 255,))


def value(frame):
    """ppm of an answer to the command 86; None where the nine bytes are not one."""
    if frame[:2] != b"\xff\x86" or -sum(frame[1:8]) & 255 != frame[8]:
        return None
    return frame[2] << 8 | frame[3]


class Parser:
    """Finds the answer in a byte stream."""

    def __init__(self):
        self._buf = b""

    def feed(self, data):
        """Return the ppm once an answer is whole, else None."""
        self._buf += data
        while len(self._buf) >= 9:
            found = value(self._buf[:9])
            self._buf = self._buf[9 if found is not None else 1 :]
            if found is not None:
                return found
        return None


class Driver:
    """Options: `port`, `sample_s`, `auto_calibration`."""

    SAMPLE_S = 10

    def __init__(self, board, options):
        self._board = board
        self._port = SerialPort(board, options, 9600)
        self._setup = None if options.get("auto_calibration", True) else framed(0x79, b"\x00")

    async def _answer(self):
        parser = Parser()
        while True:
            found = parser.feed(await self._port.some(_ANSWER_MS))
            if found is not None:
                return found

    async def read(self):
        """Ask once; 0 and values beyond the range are what it reports while it warms up."""
        self._port.flush()
        if self._setup:
            await self._port.send(self._setup)
            self._setup = None
        await self._port.send(framed(0x86))
        ppm = await self._board.within(self._answer(), _ANSWER_MS)
        return [("co2", ppm, 0)] if 300 <= ppm <= 10000 else []
