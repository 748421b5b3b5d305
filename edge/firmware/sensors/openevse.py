"""OpenEVSE charging station over its serial RAPI: state, current, voltage and energy, read only.

Lines `$...^xx\\r` where xx is the XOR of all bytes before the caret. Lines that begin with `$A` report events and
may come at any time, also between a question and its answer.
"""

from micropython import const

from ..buses.serialport import SerialPort
from ..evse import CHARGING, CONNECTED, FAULT, FREE

KIND = "charger"
PART = "OpenEVSE"
BUS = "uart"
FIRST = True
QUANTITIES = ("connector_state", "current", "voltage", "session_energy", "energy_total")
OPTIONS = {}
WIRING = "its RAPI header, 115200 baud; level shifter where it is 5 V"
PARTS = ("cable for the RAPI header", "level shifter 5 V to 3.3 V")

_ANSWER_MS = const(1000)
_LINE_MAX = const(80)
# State of the station: 1..3 are J1772 A, B, C; ventilation required is refused; 5..11 are faults; FF is disabled.
_STATES = {1: FREE, 2: CONNECTED, 3: CHARGING, 4: FAULT, 0xFF: FAULT}


def line(command):
    """Return a command with its check sum: GS is `$GS^30` and a carriage return."""
    text = b"$" + command.encode()
    return text + b"^%02X\r" % xor(text)


def xor(data):
    """XOR of all bytes."""
    value = 0
    for byte in data:
        value ^= byte
    return value


class Parser:
    """Cuts checked lines out of a byte stream."""

    def __init__(self):
        self._buf = b""

    def feed(self, data):
        """Return the words of each whole line, as ["OK", "fe", "0"]."""
        pieces = (self._buf + data).split(b"\r")
        self._buf = pieces.pop()[-_LINE_MAX:]
        lines = [self._words(piece[piece.rfind(b"$") :]) for piece in pieces if b"$" in piece]
        return [words for words in lines if words]

    @staticmethod
    def _words(raw):
        text, caret, check = raw[:-2], raw[-3:-2], raw[-2:]
        try:
            if caret != b"^" or int(check, 16) != xor(text[:-1]):
                return None
            return text[1:-1].decode().split()
        except (ValueError, UnicodeError):
            return None


def state_value(words):
    """Connector state out of an answer to GS; nothing while the station sleeps, for then it does not know."""
    state = int(words[1], 16)
    code = FAULT if 5 <= state <= 11 else _STATES.get(state)
    return [] if code is None else [("connector_state", code, 0)]


def meter_values(words):
    """Current and voltage out of an answer to GG (mA, mV; -1 without a meter)."""
    pairs = (("current", int(words[1])), ("voltage", int(words[2])))
    return [(name, value, 3) for name, value in pairs if value >= 0]


def energy_values(words):
    """Session and lifetime energy out of an answer to GU (Ws, Wh)."""
    return [("session_energy", int(words[1]) * 10 // 3600, 1), ("energy_total", int(words[2]), 0)]


QUESTIONS = (("GS", state_value), ("GG", meter_values), ("GU", energy_values))


class Driver:
    """Options: `port` (UART number)."""

    def __init__(self, board, options):
        self._board = board
        self._port = SerialPort(board, options, 115200)

    async def _ask(self, command):
        self._port.flush()
        await self._port.send(line(command))
        return await self._board.within(self._answer(Parser()), _ANSWER_MS)

    async def _answer(self, parser):
        while True:
            for words in parser.feed(await self._port.some(_ANSWER_MS)):
                if words[0] in ("OK", "NK"):
                    return words

    async def read(self):
        """Ask the three questions; an answer that makes no sense counts as none."""
        out = []
        for command, values in QUESTIONS:
            words = await self._ask(command)
            try:
                out += values(words) if words[0] == "OK" else []
            except (IndexError, ValueError):
                pass
        return out
