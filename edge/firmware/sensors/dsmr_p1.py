"""DSMR P1 port of Dutch, Belgian and Luxembourg smart meters: a telegram of OBIS lines every 1 to 10 s.

From `/` to `!` the CRC-16/ARC must match; meters of DSMR 2 and 3 send none, which must be said in the options. A
telegram is read line by line: Belgian ones grow every month. Voltage and current are those of phase 1.
"""

from micropython import const

from ..serialport import SerialPort

_SILENCE_MS = const(12000)
_LINE_MAX = const(90)  # of a longer line only the start is kept; it is not one of ours
_IN, _OUT = ("1-0:1.8.0", "1-0:1.8.1", "1-0:1.8.2"), ("1-0:2.8.0", "1-0:2.8.1", "1-0:2.8.2")
_WANTED = _IN + _OUT + ("1-0:1.7.0", "1-0:2.7.0", "1-0:32.7.0", "1-0:31.7.0")


def crc16(data, crc=0):
    """CRC-16/ARC, continued from `crc`."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def number(text):
    """Read `003808.351*kWh` as (3808351, 3, "kWh"); None when it is not a number with a unit."""
    digits, _, unit = text.partition("*")
    whole, _, part = digits.partition(".")
    if not (whole + part).isdigit() or not unit:
        return None
    return int(whole + part), len(part), unit


def line_value(line):
    """Return (OBIS code, (mantissa, decimals, unit)) of a line that we use, else None."""
    code, _, rest = line.partition("(")
    if code not in _WANTED or not rest.endswith(")"):
        return None
    value = number(rest[:-1])
    return (code, value) if value else None


def _to_base(value):
    """kWh and kW as Wh and W: (3808351, 3, kWh) is 3808351 with no decimals."""
    mantissa, decimals, unit = value
    if unit[0] == "k":
        return (mantissa * 10 ** (3 - decimals), 0) if decimals <= 3 else (mantissa, decimals - 3)
    return mantissa, decimals


def _total(found, codes):
    values = [_to_base(found[code]) for code in codes if code in found]
    return sum(v[0] for v in values) if values and not any(v[1] for v in values) else None


def values(found):
    """Turn the OBIS values of a whole telegram into readings."""
    out = []
    for name, codes in (("energy_total", _IN), ("energy_export_total", _OUT)):
        total = _total(found, codes)
        if total is not None:
            out.append((name, total, 0))
    power = _total(found, ("1-0:1.7.0",))
    if power is not None:
        out.append(("power", power - (_total(found, ("1-0:2.7.0",)) or 0), 0))
    for name, code in (("voltage", "1-0:32.7.0"), ("current", "1-0:31.7.0")):
        if code in found:
            out.append((name,) + _to_base(found[code]))
    return out


class Parser:
    """Reads telegrams out of a byte stream; only whole ones with the right check sum come out."""

    def __init__(self, with_crc=True):
        self.with_crc = with_crc
        self._line = b""
        self._crc = 0
        self._found = None

    def feed(self, data):
        """Return the OBIS values (a dict) of each telegram completed by `data`."""
        out = []
        while data:
            start = data.find(b"/")
            end = data.find(b"\n")
            if start >= 0 and (start < end or end < 0):
                # A telegram begins, wherever we are: nothing of an unfinished one is used.
                self._begin()
                data = data[start + 1 :]
                continue
            piece, data = (data, b"") if end < 0 else (data[: end + 1], data[end + 1 :])
            self._take(piece)
            if end >= 0:
                self._end_line(out)
        return out

    def _begin(self):
        self._line, self._found = b"/", {}
        self._crc = crc16(b"/")

    def _take(self, piece):
        if self._found is None:
            return
        if self._line[:1] != b"!":
            mark = piece.find(b"!") if not self._line else -1
            self._crc = crc16(piece[: mark + 1] if mark == 0 else piece, self._crc)
        self._line = (self._line + piece)[:_LINE_MAX]

    def _end_line(self, out):
        line, self._line = self._line, b""
        if self._found is None:
            return
        if line[:1] == b"!":
            if self._closes(line[1:].strip()):
                out.append(self._found)
            self._found = None
            return
        try:
            pair = line_value(line.decode().strip())
        except UnicodeError:
            return
        if pair:
            self._found[pair[0]] = pair[1]

    def _closes(self, text):
        if not self.with_crc:
            return text == b""
        try:
            return len(text) == 4 and int(text, 16) == self._crc
        except ValueError:
            return False


class Driver:
    """Options: `port`, `invert` (the line is an inverted open collector), `crc` false for DSMR 2 and 3 (9600 7E1)."""

    def __init__(self, board, options):
        self._with_crc = options.get("crc", True)
        self._port = SerialPort(board, options, 115200 if self._with_crc else 9600)

    async def read(self):
        """Return the values of the next whole telegram; whoever asks limits the time."""
        self._port.flush()
        parser = Parser(self._with_crc)
        while True:
            for found in parser.feed(await self._port.some(_SILENCE_MS, 256)):
                return values(found)
