"""DLMS/COSEM pushes of smart meters on their customer port: Kamstrup, Aidon, Kaifa, Iskra, Sagemcom; also encrypted.

In HDLC frames (Nordic HAN) or M-Bus frames (Austria). What meters send differs: objects with scaler and unit, code and
value in turn, a list with its description, or a bare list known by its length. Options: `key` (32 hex digits), `aad`,
`checksum = false`. Gives `{"time", "values", "codes"}` like a P1 telegram.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.decoding.dlms import Enum, Structure, decrypted, frames, notification
from gateway.decoding.framing import Silent
from gateway.decoding.obis import DLMS_UNITS, code, electricity
from gateway.formats import Read
from gateway.formats.p1 import hex_option
from telemetry.errors import Rejected, UsageError

# Where a message names no unit: by C.D of its code (unit, power of ten). Kamstrup: energy in 10 Wh, current in 10 mA.
_POWER, _ENERGY = ("W", 0), ("Wh", 0)
_BARE = {
    **dict.fromkeys(("1.7", "2.7", "21.7", "41.7", "61.7", "22.7", "42.7", "62.7"), _POWER),
    **dict.fromkeys(("1.8", "2.8"), _ENERGY),
    **dict.fromkeys(("32.7", "52.7", "72.7"), ("V", 0)),
    **dict.fromkeys(("31.7", "51.7", "71.7"), ("A", 0)),
}
_KAMSTRUP = {"1.8": ("Wh", 1), "2.8": ("Wh", 1), "31.7": ("A", -2), "51.7": ("A", -2), "71.7": ("A", -2)}
_SLOVENIA = {
    "32.7": ("V", -1),
    "52.7": ("V", -1),
    "72.7": ("V", -1),
    "31.7": ("A", -2),
    "51.7": ("A", -2),
    "71.7": ("A", -2),
}
# Lists without codes: by what they begin with and their length.
_POWERS = ("1.7.0", "2.7.0", "3.7.0", "4.7.0")
_PHASES = ("32.7.0", "52.7.0", "72.7.0", "31.7.0", "51.7.0", "71.7.0")
_BY_PHASE = ("21.7.0", "41.7.0", "61.7.0", "22.7.0", "42.7.0", "62.7.0")
_ISKRA = ("1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0")
_REGISTERS = ("1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2", "3.8.0", "4.8.0")


def framer() -> Silent:
    """Messages of several frames follow each other without a pause; the next one comes seconds later."""
    return Silent(4096)


def reader(options: dict[str, Any]) -> Read:
    """A reader with these options. Raises UsageError for others, or for a key that is none."""
    if set(options) - {"key", "aad", "checksum"}:
        raise UsageError("The format 'dlms' has the options `key`, `aad` and `checksum`.")
    key, aad = hex_option(options, "key", 16), hex_option(options, "aad", None)
    checked = bool(options.get("checksum", True))

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
        return [telegram(payload, checked, key, aad)]

    return read


def telegram(
    payload: bytes, checked: bool = True, key: bytes | None = None, aad: bytes | None = None
) -> dict[str, Any]:
    """One push. Raises Rejected: cut off, a wrong checksum or key, or nothing that is known."""
    message, sound = frames(payload)
    if checked and not sound:
        raise Rejected("DLMS frame with a wrong checksum: bytes were lost or changed on the way")
    if message[:1] == b"\xdb":
        if key is None:
            raise Rejected("encrypted message: give its key in `options = { key = ... }` of this source")
        message = decrypted(message, key, aad)
    said = notification(message)
    if not isinstance(said.data, Structure):
        raise Rejected("DLMS message without a list of values")
    codes = dict(_objects(said.data))
    if not any(isinstance(v, dict) for v in codes.values()):
        raise Rejected("DLMS message of a kind that is not known: no codes, and no known list")
    return {"time": said.time, "values": electricity(codes), "codes": codes}


def _objects(items: Structure) -> Iterator[tuple[str, Any]]:
    described = _described(items)
    if described is not None:
        yield from ((name, _value(name, value, None, _BARE)) for name, value in described)
        return
    bare = _bare_list(items)
    if bare is not None:
        names, values, units = bare
        pairs = zip(names, values, strict=False)
        yield from ((f"1-0:{name}", _value(f"1-0:{name}", v, None, units)) for name, v in pairs)
        return
    kamstrup = bool(items) and isinstance(items[0], str) and items[0].lower().startswith("kamstrup")
    yield from _coded(items, _BARE | _KAMSTRUP if kamstrup else _BARE)


def _coded(items: Structure, bare: dict[str, tuple[str, int]]) -> Iterator[tuple[str, Any]]:
    """Codes, each followed by its value and maybe by scaler and unit."""
    place = 0
    while place < len(items):
        item = items[place]
        if isinstance(item, Structure):
            yield from _coded(item, bare)
        elif _is_code(item) and place + 1 < len(items):
            after = items[place + 2] if place + 2 < len(items) else None
            scaled = isinstance(after, Structure) and len(after) == 2 and isinstance(after[1], Enum)
            yield code(item), _value(code(item), items[place + 1], after if scaled else None, bare)
            place += 2 if scaled else 1
        place += 1


def _is_code(item: object) -> bool:
    return isinstance(item, bytes) and len(item) == 6 and item[5] == 255


def _described(items: Structure) -> list[tuple[str, Any]] | None:
    """A list that begins with its description: class, code, attribute and index of each of its values."""
    first = items[0] if items else None
    if not isinstance(first, Structure) or len(first) != len(items):
        return None
    if not all(isinstance(d, Structure) and len(d) == 4 and _is_code(d[1]) for d in first):
        return None
    return [(code(d[1]), value) for d, value in zip(first[1:], items[1:], strict=True)]


def _bare_list(items: Structure) -> tuple[tuple[str, ...], list[Any], dict[str, tuple[str, int]]] | None:
    """Lists without codes: of Iskra, and the two of the Slovenian operators."""
    if len(items) == 10 + 2 and isinstance(items[0], bytes) and len(items[0]) == 16 and isinstance(items[2], bool):
        return _REGISTERS, items[4:], _BARE
    if len(items) == 18 and isinstance(items[0], bytes) and len(items[0]) == 16:
        return _POWERS + _PHASES + _BY_PHASE, items[2:], _BARE | _SLOVENIA
    if len(items) >= 8 and _is_code(items[0]) and isinstance(items[1], bytes) and isinstance(items[2], bytes):
        numbers = [i for i in items[4:] if i is None or isinstance(i, int)]
        if len(numbers) == len(items) - 4:
            return _ISKRA, numbers, _BARE
    return None


def _value(name: str, value: Any, scaled: Structure | None, bare: dict[str, tuple[str, int]]) -> Any:  # noqa: ANN401
    """A number with its unit and power of ten; other things as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value.hex() if isinstance(value, bytes) else value
    if scaled is not None:
        if not all(isinstance(part, int) for part in scaled):
            raise Rejected("DLMS value whose scaler or unit is not a number")
        unit = DLMS_UNITS.get(int(scaled[1]), f"DLMS unit {int(scaled[1])}")
        return {"value": value, "multiplier": int(scaled[0]), **({"unit": unit} if unit else {})}
    known = bare.get(name.partition(":")[2].rpartition(".")[0])
    return {"value": value, "unit": known[0], "multiplier": known[1]} if known else value
