"""SML (BSI TR-03109-1): files of German meters, as their optical heads send them and as MQTT bridges pass them on.

A file begins with 1B1B1B1B 01010101 and ends with 1B1B1B1B 1A, fill bytes and a CRC-16/X.25; also its hexadecimal
text is read. Gives `{"values", "codes"}` like a P1 telegram. Option `checksum = false`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gateway.decoding.framing import Marked
from gateway.decoding.obis import DLMS_UNITS, code, electricity
from gateway.formats import Read
from telemetry.errors import Rejected, UsageError

_START, _END = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", b"\x1b\x1b\x1b\x1b\x1a"
_ENTRY = re.compile(rb"\x77\x07(\x01.{5})", re.S)
_ELEMENTS = 5  # of a value behind its name: status, time, unit, scaler, value
_LARGEST = 8192


def framer() -> Marked:
    """Cuts files out of the bytes of a serial line."""
    return Marked(_START, _END, 3, _LARGEST)


def reader(options: dict[str, Any]) -> Read:
    """A reader. Raises UsageError for other options."""
    if set(options) - {"checksum"}:
        raise UsageError("The format 'sml' has the option `checksum`.")
    checked = bool(options.get("checksum", True))

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
        return [file(payload, checked)]

    return read


def file(payload: bytes, checked: bool = True) -> dict[str, Any]:
    """The values of one file. Raises Rejected: not one, cut off, or with a wrong checksum."""
    if payload[:8].lower() == b"1b1b1b1b":
        try:
            payload = bytes.fromhex(payload.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            raise Rejected("not SML: hexadecimal text that is not whole") from None
    start, end = payload.find(_START), payload.rfind(_END)
    if start < 0 or end < start or len(payload) < end + 8:
        raise Rejected("not SML: a file begins with 1b1b1b1b01010101 and ends with 1b1b1b1b1a and a checksum")
    if checked and _crc(payload[start : end + 6]) != int.from_bytes(payload[end + 6 : end + 8], "little"):
        raise Rejected("SML file with a wrong checksum: bytes were lost or changed on the way")
    content = payload[start + 8 : end].replace(b"\x1b" * 8, b"\x1b" * 4)
    codes = dict(_values(content))
    if not codes:
        raise Rejected("SML file without a value that has a code and a unit")
    return {"values": electricity(codes), "codes": codes}


def _values(content: bytes) -> Iterator[tuple[str, Any]]:
    """Each code with its value, unit and power of ten."""
    for found in _ENTRY.finditer(content):
        try:
            parts = list(_elements(content, found.end(), _ELEMENTS))
        except IndexError:
            return
        unit, scaler, value = parts[2:]
        if isinstance(value, int) and isinstance(unit, int) and DLMS_UNITS.get(unit):
            tens = scaler if isinstance(scaler, int) else 0
            yield code(found[1]), {"value": value, "multiplier": tens, "unit": DLMS_UNITS[unit]}


def _elements(data: bytes, at: int, count: int) -> Iterator[int | None]:
    """Elements of a list from `at`: integers, None for other kinds. IndexError at the end of the data."""
    for _ in range(count):
        kind, size, at = _head(data, at)
        if kind == 0x70:
            end = at
            for _ in range(size):
                inner = _head(data, end)
                if inner[0] == 0x70:
                    raise IndexError
                end = inner[2] + inner[1]
            yield None
            at = end
            continue
        raw = data[at : at + size]
        if len(raw) < size:
            raise IndexError
        yield int.from_bytes(raw, "big", signed=kind == 0x50) if kind in (0x50, 0x60) and raw else None
        at += size


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Kind, length of the content (of a list: elements) and where it begins."""
    first = data[at]
    kind, size, head = first & 0x70, first & 0x0F, 1
    while data[at + head - 1] & 0x80:
        size = size << 4 | data[at + head] & 0x0F
        head += 1
        if head > 4:
            raise IndexError
    return kind, size if kind == 0x70 else max(size - head, 0), at + head


def _crc(data: bytes) -> int:
    """CRC-16/X.25."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc ^ 0xFFFF
