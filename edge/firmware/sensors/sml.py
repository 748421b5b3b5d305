"""Optical head on a German meter that sends SML (BSI TR-03109-1) by itself: 9600 baud, a file every 1 to 4 s.

A file begins with 1B1B1B1B 01010101 and ends with 1B1B1B1B 1A, fill bytes and a CRC-16/X.25. The list of values holds
for each OBIS code a unit, a scaler and an integer. What the meter signs or encrypts is not needed here.
"""

from micropython import const

from ..buses import obis
from ..buses.serialport import SerialPort
from ..buses.x25 import crc16

KIND = "energy"
PART = "SML meters with an optical interface (EMH, EasyMeter, Iskra, ISKRA MT, DZG, Logarex, eHZ)"
BUS = "uart"
QUANTITIES = ("energy_total", "energy_export_total", "power", "voltage", "voltage_l2", "voltage_l3", "current",
    "current_l2", "current_l3", "power_l1", "power_l2", "power_l3", "frequency")  # fmt: skip
OPTIONS = {}
WIRING = "infrared reading head for 3.3 V, held by its magnet; its TX to rx; no tx"
PARTS = ("IR reading head (TTL, 3.3 V)",)

_SILENCE_MS = const(6000)
_FILE_MAX = const(1200)
_START, _END = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", b"\x1b\x1b\x1b\x1b\x1a"
_UNITS = {30: "Wh", 27: "W", 35: "V", 33: "A", 44: "Hz"}
_LIST_ENTRY = 7  # elements of a value: name, status, time, unit, scaler, value, signature


def _element(data, at):
    """(kind, length, where its content begins) of a TLV; IndexError at the end of the data."""
    first = data[at]
    kind, size, head = first & 0x70, first & 0x0F, 1
    while first & 0x80:
        first = data[at + head]
        size = size << 4 | first & 0x0F
        head += 1
    return kind, size if kind == 0x70 else size - head, at + head


def _integer(data, kind, size, at):
    value = int.from_bytes(data[at : at + size], "big")
    if kind == 0x50 and size and value >> (8 * size - 1):
        value -= 1 << 8 * size
    return value


def values(content):
    """The OBIS values of a file: `{"1.8.0": (mantissa, decimals, unit)}`."""
    found, at = {}, 0
    while True:
        at = content.find(b"\x77\x07\x01\x00", at)  # a value with an OBIS code 1-0:...
        if at < 0 or at + 8 > len(content):
            return found
        code = "%d.%d.%d" % (content[at + 4], content[at + 5], content[at + 6])
        try:
            value = _value(content, at + 8)
        except IndexError:
            return found
        if value:
            found[code] = value
        at += 8


def _value(data, at):
    """(mantissa, decimals, unit) of what stands behind a code; None where it is not a number with a unit we know."""
    parts = []
    for _ in range(_LIST_ENTRY - 1):
        kind, size, begin = _element(data, at)
        if kind == 0x70:
            at = begin
            for _ in range(size):
                inner = _element(data, at)
                at = inner[2] + inner[1]
            parts.append(None)
            continue
        parts.append(_integer(data, kind, size, begin) if kind in (0x50, 0x60) and size > 0 else None)
        at = begin + max(size, 0)
    unit, scaler, value = _UNITS.get(parts[2]), parts[3] or 0, parts[4]
    if unit is None or value is None:
        return None
    return (value * 10**scaler, 0, unit) if scaler >= 0 else (value, -scaler, unit)


class Parser:
    """Cuts whole files with the right checksum out of a byte stream."""

    def __init__(self):
        self._buf = b""

    def feed(self, data):
        """Return the contents of the files completed by `data`."""
        self._buf += data
        out = []
        while True:
            start = self._buf.find(_START)
            if start < 0:
                self._buf = self._buf[-7:]
                return out
            self._buf = buf = self._buf[start:]
            end = buf.find(_END, 8)
            again = buf.find(_START, 8)
            if 0 < again and (end < 0 or again < end):
                self._buf = buf[again:]  # a file that was cut
                continue
            if end < 0 or len(buf) < end + 8:
                self._buf = buf if len(buf) < _FILE_MAX else b""
                return out
            crc = buf[end + 6] | buf[end + 7] << 8
            if crc16(buf[: end + 6]) == crc:
                out.append(buf[8:end].replace(b"\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b", b"\x1b\x1b\x1b\x1b"))
            self._buf = buf[end + 8 :]


class Driver:
    """Options: `port`."""

    def __init__(self, board, options):
        self._port = SerialPort(board, options, 9600)

    async def read(self):
        """Return the values of the next whole file; the caller limits the time."""
        self._port.flush()
        parser = Parser()
        while True:
            for content in parser.feed(await self._port.some(_SILENCE_MS, 256)):
                return obis.values(values(content))
