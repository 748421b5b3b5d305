"""P1 port of smart meters (DSMR 2 to 5, e-MUCS, Luxembourg, Hungary, Austria): OBIS lines every 1 to 10 s.

From `/` to `!` the CRC-16/ARC must match; meters of DSMR 2 and 3 send none, which the option `crc` false allows. A
telegram is read line by line: Belgian ones grow every month. Gas, water and heat meters behind the port come with their
own time and are reported once per reading of theirs; so are the entries of the log of power failures.
"""

from micropython import const

from .. import lazy
from ..buses import obis
from ..buses.serialport import SerialPort

KIND = "energy"
PART = "DSMR P1 port"
BUS = "uart"
QUANTITIES = (
    "energy_total", "energy_export_total", "power", "voltage", "voltage_l2", "voltage_l3", "current", "current_l2",
    "current_l3", "power_l1", "power_l2", "power_l3", "gas_total", "water_total", "heat_total", "power_failures",
    "power_failures_long", "power_failure",
)  # fmt: skip
OPTIONS = {"crc": True, "invert": True, "utc_offset": 1, "key": "", "auth_key": ""}
WIRING = "RJ12: 5 V, ground, request high; data is an inverted open collector: 10 kohm to 3.3 V, to rx; no tx"
PARTS = ("RJ12 cable", "10 kohm")

_SILENCE_MS = const(12000)
_LINE_MAX = const(200)  # of a longer line only the start is kept: the values that we use are shorter
_MBUS = {3: ("gas_total", 0), 7: ("water_total", 0), 6: ("water_total", 0), 4: ("heat_total", 1), 12: ("heat_total", 1)}
_OUTAGE_MAX_S = const(31622400)


def crc16(data, crc=0):
    """CRC-16/ARC, continued from `crc`."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def code_of(text):
    """`1-0:1.8.0` and `1-1:1.8.0.255` are 1.8.0; `0-2:24.2.1` is 2:24.2.1; `0-0:96.7.9` is 0:96.7.9; else None."""
    medium, _, rest = text.partition(":")
    a, _, b = medium.partition("-")
    rest = rest.replace(":", ".")  # DSMR 4.0 writes 1-0:99:97.0
    if rest.endswith(".255"):
        rest = rest[:-4]
    if a == "1":
        return rest
    return b + ":" + rest if a == "0" and b.isdigit() else None


def unix(text, utc_offset=1):
    """Local time `240220170958W` (winter) or `...S` (summer) as unix seconds; None when it is not one."""
    if len(text) != 13 or not text[:12].isdigit() or text[12] not in "WS":
        return None
    year, month, day, hour, minute, second = [int(text[at : at + 2]) for at in range(0, 12, 2)]
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60 and year >= 10):
        return None
    days = lazy.load("net.validity")._days(2000 + year, month, day)
    return days * 86400 + (hour - utc_offset - (text[12] == "S")) * 3600 + minute * 60 + second


def groups(line):
    """`a(b)(c)` as ["a", "b", "c"]."""
    return [part.rstrip(")") for part in line.split("(")]


def meters(found, utc_offset):
    """Readings of the meters behind the port: (quantity, mantissa, decimals, unix seconds or None), by their number."""
    out, taken = [], set()
    for n in ("1", "2", "3", "4"):
        kind = found.get(n + ":24.1.0")
        parts = found.get(n + ":24.2.1") or found.get(n + ":24.2.3") or found.get(n + ":24.3.0")
        name, is_heat = _MBUS.get(int(kind[1]) if kind and kind[1].isdigit() else 0, (None, 0))
        if name is None or not parts:
            continue
        value = obis.number(parts[-1]) if "*" in parts[-1] else obis.number(parts[-1] + "*" + parts[-2])
        if value is None:
            continue
        mantissa, decimals = _heat(value) if is_heat else value[:2]
        # A second meter of the same kind has a channel of its own.
        full = name if name not in taken else "meter-%s/%s" % (n, name)
        taken.add(name)
        out.append((full, mantissa, decimals, unix(parts[1], utc_offset)))
    return out


def _heat(value):
    """GJ as Wh, other units as they are."""
    mantissa, decimals, unit = value
    if unit.upper() == "GJ":
        return mantissa * 10000000 // (36 * 10**decimals), 0
    return obis.to_base(value)


def failures(found, utc_offset):
    """Counts of power failures, and the entries of the log of long ones: (quantity, seconds, 0, unix of the end)."""
    out = []
    for name, code in (("power_failures", "0:96.7.21"), ("power_failures_long", "0:96.7.9")):
        text = found.get(code, ["", ""])[1]
        if text.isdigit():
            out.append((name, int(text), 0, None))
    parts = found.get("99.97.0", [])[3:]
    for at in range(0, len(parts) - 1, 2):
        end, seconds = unix(parts[at], utc_offset), obis.number(parts[at + 1])
        if end and seconds and seconds[0] < _OUTAGE_MAX_S:
            out.append(("power_failure", seconds[0], 0, end))
    return out


def values(found, utc_offset=1):
    """Turn the lines of a whole telegram into readings; those with a time of their own have it as a fourth element."""
    numbers = {}
    for code, parts in found.items():
        value = obis.number(parts[-1]) if ":" not in code else None
        if value:
            numbers[code] = value
    more = meters(found, utc_offset) + failures(found, utc_offset)
    lazy.unload("net.validity")
    return obis.values(numbers) + [value if value[3] else value[:3] for value in more]


def _identification(line):
    """Where the first line of a telegram begins in a line: `/`, three letters and a digit; -1 where it does not."""
    at = line.rfind(b"/")
    while at >= 0:
        if at == 0 or (line[at + 1 : at + 4].isalpha() and line[at + 4 : at + 5].isdigit()):
            return at
        at = line.rfind(b"/", 0, at)
    return -1


class Parser:
    """Reads telegrams out of a byte stream; only whole ones with the right checksum come out."""

    def __init__(self, with_crc=True):
        self.with_crc = with_crc
        self._line = b""
        self._crc = self._crc_before = 0  # of all bytes, and of those before this line
        self._found = None
        self._last = None

    def feed(self, data):
        """Return the lines (code: parts between parentheses) of each telegram completed by `data`."""
        out = []
        while data:
            if self._found is None and not self._line:
                start = data.find(b"/")
                if start < 0:
                    break
                data, self._found = data[start:], {}
            end = data.find(b"\n") + 1
            piece, data = (data[:end], data[end:]) if end else (data, b"")
            if not self._line:
                self._crc_before = self._crc
            self._crc = crc16(piece, self._crc)
            self._line = (self._line + piece)[:_LINE_MAX]
            if end:
                self._end_line(out)
        return out

    def _end_line(self, out):
        line, self._line = self._line, b""
        start = _identification(line)
        if start >= 0:
            # A telegram begins, wherever we are: nothing of an unfinished one is used.
            self._found, self._last, self._crc = {}, None, crc16(line[start:])
        elif line[:1] == b"!":
            if self._closes(line[1:].strip()):
                out.append(self._found)
            self._found = None
        else:
            try:
                self._keep(line.decode().strip())
            except UnicodeError:
                pass

    def _keep(self, line):
        found = self._found or {}
        if line[:1] == "(" and self._last in found:
            found[self._last] += groups(line)[1:]  # DSMR 2 and 3: the value of a gas meter on a line of its own
            return
        head = line.partition("(")[0]
        self._last = code = code_of(head) if line.endswith(")") else None
        if code:
            found[code] = groups(line)
            self._found = found

    def _closes(self, text):
        if not self.with_crc:
            return text == b""
        try:
            return 0 < len(text) <= 4 and int(text, 16) == crc16(
                b"!", self._crc_before
            )  # some meters leave out leading zeros
        except ValueError:
            return False


class Driver:
    """Options: `port`, `invert` (the line is an inverted open collector), `crc` false for DSMR 2 and 3 (9600 7E1),
    `utc_offset` hours of winter time, `key` and `auth_key` of encrypted telegrams (hexadecimal).
    """

    def __init__(self, board, options):
        self._options = options
        self._board = board
        self._port = SerialPort(board, options, 115200 if options.get("crc", True) else 9600)
        self._reported = {}

    async def read(self):
        """Return the values of the next whole telegram; the caller limits the time."""
        self._port.flush()
        parser = Parser(self._options.get("crc", True))
        cipher = None
        if self._options.get("key"):
            cipher = lazy.load("buses.ciphered").Frames(self._options["key"], self._options.get("auth_key", ""))
        while True:
            data = await self._port.some(_SILENCE_MS, 256)
            if cipher:
                data = await cipher.feed(self._board, data)
            for found in parser.feed(data):
                return [value for value in values(found, self._options.get("utc_offset", 1)) if self._is_new(value)]

    def _is_new(self, value):
        """A reading with a time of its own is reported once."""
        if len(value) < 4:
            return True
        key = value[0] if value[0] != "power_failure" else str(value[3])
        if self._reported.get(key) == value[3]:
            return False
        self._reported[key] = value[3]
        return True
