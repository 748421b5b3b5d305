"""P1 telegrams of smart meters: DSMR 2.2 to 5, e-MUCS, Luxembourg, Sweden; also encrypted ones (Luxembourg).

A telegram is lines `code(value*unit)`, after `!` a checksum (CRC16/ARC over everything from `/` to `!`), where the
version has one. Options: `key` (32 hex digits) and `aad` for encrypted telegrams, `checksum = false` where the line is
known to change bytes. Gives `{"time", "values", "codes"}`: values by C.D.E, codes by whole OBIS code.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.decoding.dlms import decrypted
from gateway.decoding.framing import Marked
from gateway.decoding.obis import electricity
from gateway.formats import Read
from telemetry.errors import Rejected, UsageError

_LINE = re.compile(r"(\d+-\d+:\d+\.\d+\.\d+)((?:\([^()]*\))+)")
_GROUP = re.compile(r"\(([^()]*)\)")
_VALUE = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\*([^)]+))?")
_STAMP = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([WS]?)")
_OLD_GAS = re.compile(r"(0-\d+:24\.3\.0)\((\d{12})\)[^\r\n]*\(([^()]+)\)\s*\(([\d.]+)\)")


def framer() -> Marked:
    """Cuts telegrams out of the bytes of a serial line, with the checksum and the line end after them."""
    return Marked(b"/", b"!", 4, 16384)


def reader(options: dict[str, Any]) -> Read:
    """A reader with these options. Raises UsageError for others, or for a key that is none."""
    if set(options) - {"key", "aad", "checksum"}:
        raise UsageError("The format 'p1' has the options `key`, `aad` and `checksum`.")
    key = hex_option(options, "key", 16)
    aad = hex_option(options, "aad", None)
    checked = bool(options.get("checksum", True))

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
        if payload[:1] == b"\xdb":
            if key is None:
                raise Rejected("encrypted telegram: give its key in `options = { key = ... }` of this source")
            payload = decrypted(payload, key, aad)
        return [telegram(payload, checked)]

    return read


def hex_option(options: dict[str, Any], name: str, size: int | None) -> bytes | None:
    """An option that is hex digits; None where it is not there. `size`: in bytes. Raises UsageError."""
    if name not in options:
        return None
    try:
        found = bytes.fromhex(str(options[name]))
    except ValueError:
        found = b""
    if not found or (size is not None and len(found) != size):
        raise UsageError(f"The option `{name}` is {2 * size if size else 'some'} hex digits.")
    return found


def telegram(payload: bytes, checked: bool = True) -> dict[str, Any]:
    """One telegram. Raises Rejected: not one, or a checksum that is wrong."""
    start, end = payload.find(b"/"), payload.rfind(b"!")
    if start < 0:
        raise Rejected("not a P1 telegram: there is no '/'")
    body = payload[start : end + 1] if end > start else payload[start:]
    if checked and end > start:
        _check(body, payload[end + 1 :])
    text = body.decode("ascii", "replace")
    codes: dict[str, Any] = {}
    for name, groups in _LINE.findall(text):
        values = _GROUP.findall(groups)
        codes.setdefault(name, _read(values))
    for name, stamp, unit, value in _OLD_GAS.findall(text):
        codes[name] = {"value": value, "unit": unit, "time": stamp_of(stamp)}
    if not codes:
        raise Rejected("not a P1 telegram: there is no line with an OBIS code")
    time = codes.get("0-0:1.0.0")
    return {
        "header": text.splitlines()[0][1:].strip() if text else "",
        "time": time if isinstance(time, str) else None,
        "values": electricity(codes),
        "codes": codes,
    }


def _read(values: list[str]) -> Any:  # noqa: ANN401
    """The groups of a line: a value with its unit, a stamp with a value, or text."""
    if len(values) == 1 and _STAMP.fullmatch(values[0]) and len(values[0]) == 13:
        return stamp_of(values[0])
    found = _VALUE.fullmatch(values[-1]) if values else None
    if found is None:
        return values[-1] if values else ""
    labelled: dict[str, Any] = {"value": found[1]}
    if found[2]:
        labelled["unit"] = found[2]
    if len(values) == 2 and (stamp := _STAMP.fullmatch(values[0])) and int(stamp[2]) <= 12:
        labelled["time"] = stamp_of(values[0])
    elif len(values) > 1:
        return values
    return labelled if found[2] or "time" in labelled else found[1]


def stamp_of(text: str) -> str | None:
    """YYMMDDhhmmss with W or S, for Central European winter and summer time; None for a placeholder."""
    found = _STAMP.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12:
        return None
    year, month, day, hour, minute, second, season = found.groups()
    zone = {"W": "+01:00", "S": "+02:00", "": ""}[season]
    return f"20{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"


def _check(body: bytes, after: bytes) -> None:
    said = after.strip(b" \t\r\n\0")[:4]
    if not re.fullmatch(rb"[0-9A-Fa-f]{4}", said):
        return  # DSMR 2 and 3 have none
    as_crlf = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if int(said, 16) not in (crc16(body), crc16(as_crlf)):
        raise Rejected(f"P1 telegram with a wrong checksum {said.decode()}: bytes were lost or changed on the way")


def crc16(data: bytes) -> int:
    """CRC16/ARC: polynomial 0x8005 reflected, from 0."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    return crc


def _table() -> list[int]:
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        found.append(crc)
    return found


_TABLE = _table()
