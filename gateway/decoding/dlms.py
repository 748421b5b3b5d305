"""DLMS/COSEM push messages of smart meters: HDLC or M-Bus frames, general ciphering (AES-GCM), A-XDR data. Pure.

`frames` takes the data link apart and checks it, `decrypted` opens a ciphered message, `data` reads one A-XDR value.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from telemetry.errors import Rejected

_CIPHERED = 0xDB
_LENGTHS = {3: 1, 5: 4, 6: 4, 15: 1, 16: 2, 17: 1, 18: 2, 20: 8, 21: 8, 22: 1, 23: 4, 24: 8, 25: 12, 26: 5, 27: 4}
_PACKED = {
    15: "b",
    16: ">h",
    17: "B",
    18: ">H",
    5: ">i",
    6: ">I",
    20: ">q",
    21: ">Q",
    22: "B",
    23: ">f",
    24: ">d",
    3: "?",
}


class Enum(int):
    """An enumerated value, which is not a measurement: a unit code."""


class Structure(list[Any]):
    """Values of different kinds, side by side."""


def frames(payload: bytes) -> tuple[bytes, bool]:
    """The application message in the frames of a payload, and whether all checksums are right. Raises Rejected."""
    if payload[:1] == b"\x7e":
        return _hdlc(payload)
    if payload[:1] == b"\x68":
        return _mbus(payload)
    return payload, True


def _hdlc(payload: bytes) -> tuple[bytes, bool]:
    found, sound, place = b"", True, 0
    while place < len(payload) and payload[place] == 0x7E:
        if place + 3 >= len(payload):
            break
        length = int.from_bytes(payload[place + 1 : place + 3], "big") & 0x7FF
        frame = payload[place + 1 : place + 1 + length]
        if len(frame) < length or length < 9:
            raise Rejected("HDLC frame that ends too early")
        start = 2
        for _ in range(2):  # destination and source address end with an odd byte
            while start < length and not frame[start] & 1:
                start += 1
            start += 1
        head = frame[: start + 1]
        sound &= _fcs(head) == int.from_bytes(frame[start + 1 : start + 3], "little")
        sound &= _fcs(frame[:-2]) == int.from_bytes(frame[-2:], "little")
        found += frame[start + 3 : -2]
        place += length + 1
        if payload[place : place + 1] == b"\x7e" and payload[place + 1 : place + 2] == b"\x7e":
            place += 1
        elif len(payload) - place <= 1:
            break
    return found.removeprefix(b"\xe6\xe7\x00"), sound


def _fcs(data: bytes) -> int:
    """CRC16/X-25."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xFFFF


def _mbus(payload: bytes) -> tuple[bytes, bool]:
    """Long frames `68 L L 68 C A CI ... checksum 16`, of which a message may take several."""
    found, sound, place = b"", True, 0
    while payload[place : place + 1] == b"\x68":
        length = payload[place + 1] if place + 1 < len(payload) else 0
        if payload[place + 1 : place + 4] != bytes((length, length, 0x68)):
            raise Rejected("M-Bus frame with a head that is not right")
        body = payload[place + 4 : place + 4 + length]
        tail = payload[place + 4 + length : place + 6 + length]
        if len(body) < length or len(tail) < 2:
            raise Rejected("M-Bus frame that ends too early")
        sound &= sum(body) & 255 == tail[0] and tail[1] == 0x16
        found += body[5:]  # after control, address, control information and the two transport selectors
        place += length + 6
    return found, sound


# -- ciphering


def decrypted(message: bytes, key: bytes, aad: bytes | None = None) -> bytes:
    """The plain message of a general-glo-ciphering one. Raises Rejected.

    `aad`: the authentication key, with which the tag of 12 bytes is checked; without it the message is only opened.
    """
    if message[:1] != bytes((_CIPHERED,)):
        raise Rejected("not a ciphered DLMS message")
    size = message[1] if len(message) > 1 else 0
    title, place = message[2 : 2 + size], 2 + size
    length, place = _length(message, place)
    control, counter = message[place : place + 1], message[place + 1 : place + 5]
    if len(counter) < 4:
        raise Rejected("ciphered DLMS message that ends too early")
    body, nonce = message[place + 5 : place + length], title + counter
    if len(body) < length - 5:
        raise Rejected("ciphered DLMS message that ends too early")
    if control[0] & 0x10 and aad is not None:
        try:
            return AESGCM(key).decrypt(nonce, body[:-12] + _full_tag(key, nonce, body, control + aad), control + aad)
        except InvalidTag:
            raise Rejected("ciphered message: the key is wrong, or bytes were changed") from None
    text = body[:-12] if control[0] & 0x10 else body
    return _opened(key, nonce, text)


def _opened(key: bytes, nonce: bytes, text: bytes) -> bytes:
    """AES-GCM without its tag is AES in counter mode from 2."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(nonce[:12] + b"\0\0\0\x02")).decryptor()
    return cipher.update(text) + cipher.finalize()


def _full_tag(key: bytes, nonce: bytes, body: bytes, aad: bytes) -> bytes:
    """The tag of 16 bytes, which begins with the 12 sent; raises InvalidTag where it does not."""
    plain = _opened(key, nonce, body[:-12])
    tag = AESGCM(key).encrypt(nonce, plain, aad)[-16:]
    if tag[:12] != body[-12:]:
        raise InvalidTag
    return tag


# -- data


class Notification(NamedTuple):
    """A data notification: when it was sent (None where it is not given), and its data."""

    time: str | None
    data: Any


def notification(message: bytes) -> Notification:
    """A DLMS data-notification (or a bare structure, as some meters send). Raises Rejected."""
    if message[:1] != b"\x0f":
        return Notification(None, data(message, 0)[0])
    place = 5  # tag and invoke id
    size = message[place] if place < len(message) else 0
    if size == 0x09:  # a date as an octet string with its tag
        place, size = place + 1, message[place + 1] if place + 1 < len(message) else 0
    stamp = message[place + 1 : place + 1 + size] if size == 12 else b""
    place += 1 + (size if size == 12 else 0)
    if size not in (0, 12):
        raise Rejected("DLMS notification with a date that is not one")
    return Notification(clock(stamp) if stamp else None, data(message, place)[0])


def data(message: bytes, place: int, depth: int = 0) -> tuple[Any, int]:
    """One A-XDR value and where the next begins. Octet strings are bytes, texts str. Raises Rejected."""
    if place >= len(message) or depth > 20:
        raise Rejected("DLMS data that end too early")
    tag, place = message[place], place + 1
    if tag in (1, 2):
        count, place = _length(message, place)
        if count > len(message):
            raise Rejected("DLMS data that end too early")
        items = Structure()
        for _ in range(count):
            try:
                item, place = data(message, place, depth + 1)
            except Rejected:
                if depth or not items:
                    raise
                break  # the values before the cut are whole
            items.append(item)
        return Structure([*items, *[None] * (count - len(items))]), place
    if tag in (9, 10, 12):
        size, place = _length(message, place)
        raw = message[place : place + size]
        if len(raw) < size:
            raise Rejected("DLMS data that end too early")
        return (raw if tag == 9 else raw.decode("utf-8", "replace")), place + size
    if tag == 0:
        return None, place
    if tag == 4:
        size, place = _length(message, place)
        return None, place + (size + 7) // 8
    if tag not in _LENGTHS:
        raise Rejected(f"DLMS data of an unknown kind {tag}")
    raw = message[place : place + _LENGTHS[tag]]
    if len(raw) < _LENGTHS[tag]:
        raise Rejected("DLMS data that end too early")
    value: Any = struct.unpack(_PACKED[tag], raw)[0] if tag in _PACKED else raw
    return (Enum(value) if tag == 22 else value), place + _LENGTHS[tag]


def _length(message: bytes, place: int) -> tuple[int, int]:
    first = message[place] if place < len(message) else 0
    if first < 128:
        return first, place + 1
    size = first & 127
    if size > 4 or place + 1 + size > len(message):
        raise Rejected("DLMS data that end too early")
    return int.from_bytes(message[place + 1 : place + 1 + size], "big"), place + 1 + size


def clock(raw: bytes) -> str | None:
    """A COSEM date-time of 12 bytes; without a known deviation it is local. None where a part is not specified."""
    year, month, day, _, hour, minute, second, _, deviation, _ = struct.unpack(">HBBBBBBBhB", raw)
    try:
        moment = datetime(year, month, day, hour, minute, 0 if second == 255 else second)  # noqa: DTZ001 - zone follows
    except ValueError:
        return None
    if -720 <= deviation <= 840:  # minutes from local to UTC
        return moment.replace(tzinfo=timezone(timedelta(minutes=-deviation))).astimezone(UTC).isoformat()
    return moment.isoformat()
