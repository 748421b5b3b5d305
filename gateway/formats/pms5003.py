"""Frames of Plantower particle sensors (PMS5003, PMS7003, PMSA003) on USB: 32 bytes, the values of ambient air."""

from __future__ import annotations

import struct
from typing import Any

from gateway.decoding.framing import Sized
from telemetry.errors import Rejected

MAY_CARRY_USERS = False
_HEAD = b"\x42\x4d\x00\x1c"
_MISSING = 0xFFFF


def framer() -> Sized:
    """Cuts frames out of the bytes of a serial line."""
    return Sized(b"\x42\x4d", 32, _is_sound)


def _is_sound(frame: bytes) -> bool:
    return len(frame) == 32 and frame[:4] == _HEAD and sum(frame[:30]) == int.from_bytes(frame[30:], "big")


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """The values of one frame. Raises Rejected: not one, a wrong checksum, or an error of the sensor."""
    if not _is_sound(payload):
        raise Rejected("not a frame of a Plantower sensor, or one with a wrong checksum")
    if payload[29]:
        raise Rejected(f"the sensor reports error 0x{payload[29]:02x}")
    words = struct.unpack(">13H", payload[4:30])
    values = {"pm1": words[3], "pm2_5": words[4], "pm10": words[5]}
    return [{name: {"value": word, "unit": "ug/m3"} for name, word in values.items() if word != _MISSING}]
