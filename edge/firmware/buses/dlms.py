"""DLMS/COSEM pushes of smart meters: HDLC frames (Nordic countries, Slovenia) or M-Bus frames (Austria), A-XDR data.

`message` takes the frames apart, `notification` reads the data, `objects` finds the values by their codes. What is
wrong anywhere is a ValueError; nothing of such a push is used.
"""

from micropython import const

from .x25 import crc16

_DEPTH = const(12)
_ITEMS = const(200)
_UNITS = {27: "W", 30: "Wh", 33: "A", 35: "V", 44: "Hz"}
# Bytes of the number kinds, negative where it has a sign; of dates and times, which are passed over.
_NUMBERS = {3: 1, 5: -4, 6: 4, 15: -1, 16: -2, 17: 1, 18: 2, 20: -8, 21: 8, 22: 1}
_PASSED = {23: 4, 24: 8, 25: 12, 26: 5, 27: 4}
# Unit and power of ten where a push names none, by C.D of the code.
_BARE = {"1.8": ("Wh", 0), "2.8": ("Wh", 0)}
_SMALL = {"31.7": ("A", -2), "51.7": ("A", -2), "71.7": ("A", -2)}
_TENTHS = {"32.7": ("V", -1), "52.7": ("V", -1), "72.7": ("V", -1)}
_DEKA = {"1.8": ("Wh", 1), "2.8": ("Wh", 1)}
# Lists without codes, by their length: the place of the first value, and the codes.
_ISKRA = (4, "1.8.0 2.8.0 3.8.0 4.8.0 1.7.0 2.7.0")
_LISTS = {
    18: (
        2,
        "1.7.0 2.7.0 3.7.0 4.7.0 32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 71.7.0"
        " 21.7.0 41.7.0 61.7.0 22.7.0 42.7.0 62.7.0",
    ),
    12: (4, "1.8.0 1.8.1 1.8.2 2.8.0 2.8.1 2.8.2 3.8.0 4.8.0"),
}  # fmt: skip


def message(data):
    """The application message in the frames of one push."""
    if data[:1] == b"\x7e":
        return _hdlc(data)
    if data[:1] == b"\x68":
        return _mbus(data)
    raise ValueError("neither HDLC nor M-Bus")


def _hdlc(data):
    out, at = b"", 0
    while data[at : at + 1] == b"\x7e" and at + 3 < len(data):
        size = (data[at + 1] << 8 | data[at + 2]) & 0x7FF
        frame = data[at + 1 : at + 1 + size]
        if len(frame) < size or size < 9 or crc16(frame[:-2]) != frame[-2] | frame[-1] << 8:
            raise ValueError("HDLC frame with a wrong checksum")
        start = 2
        for _ in range(2):  # destination and source: the last byte of an address is odd
            while start < size - 5 and not frame[start] & 1:
                start += 1
            start += 1
        out += frame[start + 3 : -2]
        at += size + 1
        if data[at : at + 2] == b"\x7e\x7e":  # closed, and the next one opened
            at += 1
    return out[3:] if out[:3] == b"\xe6\xe7\x00" else out


def _mbus(data):
    out, at = b"", 0
    while data[at : at + 1] == b"\x68":
        size = data[at + 1] if at + 1 < len(data) else 0
        body = data[at + 4 : at + 4 + size]
        tail = data[at + 4 + size : at + 6 + size]
        if data[at + 1 : at + 4] != bytes((size, size, 0x68)) or tail != bytes((sum(body) & 255, 0x16)):
            raise ValueError("M-Bus frame with a wrong checksum")
        out += body[5:]  # after control, address, control information and two transport selectors
        at += size + 6
    return out


def _length(data, at):
    first = data[at]
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    return int.from_bytes(data[at + 1 : end], "big"), end


def value(data, at, depth=0):
    """One A-XDR value and where the next begins. A list is a list, a text or octet string bytes, a unit `(code,)`."""
    tag, at = data[at], at + 1
    if tag in (1, 2):
        count, at = _length(data, at)
        if depth > _DEPTH or count > _ITEMS:
            raise ValueError("too deep or too long")
        return _items(data, at, count, depth)
    if tag in (9, 10, 12):
        size, at = _length(data, at)
        return _cut(data, at, size), at + size
    if tag in _NUMBERS:
        size = abs(_NUMBERS[tag])
        number = int.from_bytes(_cut(data, at, size), "big")
        if _NUMBERS[tag] < 0 and number >> 8 * size - 1:
            number -= 1 << 8 * size
        return (number,) if tag == 22 else number, at + size
    if tag and tag not in _PASSED:
        raise ValueError("data of an unknown kind %d" % tag)
    return None, at + _PASSED.get(tag, 0)


def _items(data, at, count, depth):
    out = []
    for _ in range(count):
        try:
            item, at = value(data, at, depth + 1)
        except (IndexError, ValueError):
            if depth or not out:
                raise
            return out + [None] * (count - len(out)), at  # some meters cut the list: what is before the cut is whole
        out.append(item)
    return out, at


def _cut(data, at, size):
    piece = data[at : at + size]
    if len(piece) < size:
        raise ValueError("data that end too early")
    return piece


def notification(data):
    """The data of a push: after a tag, an invoke id and an optional date, or bare."""
    try:
        at = 0
        if data[0] == 0x0F:
            at = 6 if data[5] == 9 else 5
            at += 1 + data[at]
        return value(data, at)[0]
    except IndexError:
        raise ValueError("data that end too early") from None


def _code(item):
    """C.D.E of six bytes for electricity, "" of others; None for other bytes."""
    if not isinstance(item, bytes) or len(item) != 6 or item[5] != 255:
        return None
    return "%d.%d.%d" % tuple(item[2:5]) if item[0] == 1 else ""


def _put(found, code, number, scaled, bare):
    if not code or not isinstance(number, int):
        return
    if scaled:
        unit, power = _UNITS.get(scaled[1][0]), scaled[0]
    else:
        head = code[: code.rfind(".")]
        unit, power = bare.get(head) or _BARE.get(head) or (_unit(head), 0)
    if unit and code not in found:
        found[code] = (number * 10**power, 0, unit) if power >= 0 else (number, -power, unit)


def _unit(head):
    """W, V or A by C.D of a present value."""
    c, _, d = head.partition(".")
    if d != "7":
        return None
    return "A" if c in ("31", "51", "71") else "V" if c in ("32", "52", "72") else "Hz" if c == "14" else "W"


def objects(items):
    """The values as `obis.values` takes them: (mantissa, decimals, unit) by code; empty for a list nobody knows."""
    found = {}
    if items and isinstance(items[0], list) and len(items[0]) == len(items) and len(items[0][0]) == 4:
        for described, number in zip(items[0][1:], items[1:]):  # noqa: B905 - a list that describes itself
            _put(found, _code(described[1]), number, None, {})
    elif len(items) in _LISTS and isinstance(items[0], bytes) and len(items[0]) == 16:
        _listed(found, items, _LISTS[len(items)], dict(list(_SMALL.items()) + list(_TENTHS.items())))
    elif len(items) >= 8 and _code(items[0]) is not None and isinstance(items[2], bytes):
        _listed(found, items, _ISKRA, {})
    else:
        bare = {}
        if items and isinstance(items[0], bytes) and items[0][:8].lower() == b"kamstrup":
            bare = dict(list(_SMALL.items()) + list(_DEKA.items()))
        _coded(found, items, bare)
    return found


def _listed(found, items, form, bare):
    for code, number in zip(form[1].split(" "), items[form[0] :]):  # noqa: B905
        _put(found, code, number, None, bare)


def _coded(found, items, bare):
    """Codes, each followed by its value and maybe by (power of ten, unit)."""
    for at, item in enumerate(items):
        if isinstance(item, list):
            _coded(found, item, bare)
        code = _code(item)
        if code and at + 1 < len(items):
            after = items[at + 2] if at + 2 < len(items) else None
            scaled = isinstance(after, list) and len(after) == 2 and isinstance(after[1], tuple)
            _put(found, code, items[at + 1], after if scaled else None, bare)
