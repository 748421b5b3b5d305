"""Reading from a line whose driver reports bytes a moment before they can be read; an unplugged one never has any."""

from __future__ import annotations

import time
from typing import Any

import serial

_TRIES, _PAUSE_S = 5, 0.02


def retry_reads(port: Any) -> None:  # noqa: ANN401 - pyserial's classes, which its own function chooses
    """Let `port.read` try a few times where pyserial would say that the device is gone."""
    inner = port.read

    def read(size: int = 1) -> bytes:
        for left in reversed(range(_TRIES)):
            try:
                return bytes(inner(size))
            except serial.SerialException as error:
                if "returned no data" not in str(error) or not left:
                    raise
                time.sleep(_PAUSE_S)
        return b""

    port.read = read
