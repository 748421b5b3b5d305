"""Frames of the Nova SDS011 particle sensor on USB: ten bytes, PM2.5 and PM10 in tenths of a microgram."""

from __future__ import annotations

from typing import Any

from gateway.decoding.framing import Sized
from telemetry.errors import Rejected

MAY_CARRY_USERS = False
_MISSING = 0xFFFF


def framer() -> Sized:
    """Cuts frames out of the bytes of a serial line."""
    return Sized(b"\xaa\xc0", 10, _is_sound)


def _is_sound(frame: bytes) -> bool:
    return len(frame) == 10 and frame[:2] == b"\xaa\xc0" and frame[9] == 0xAB and sum(frame[2:8]) & 255 == frame[8]


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """The values of one frame. Raises Rejected: not one, or a wrong checksum."""
    if not _is_sound(payload):
        raise Rejected("not a frame of an SDS011, or one with a wrong checksum")
    values = {"pm2_5": int.from_bytes(payload[2:4], "little"), "pm10": int.from_bytes(payload[4:6], "little")}
    return [{name: {"value": word / 10, "unit": "ug/m3"} for name, word in values.items() if word != _MISSING}]
