"""A Plantower PMS5003: streams 32-byte frames with the given concentrations."""

import struct
from collections.abc import Callable
from pathlib import Path

from simulators.hardware.line import Device, Faults


def frame(pm1: int, pm2_5: int, pm10: int) -> bytes:
    """Return one frame; the standard and the ambient values are the same below 30 ug/m3."""
    words = (pm1, pm2_5, pm10, pm1, pm2_5, pm10, 582, 175, 49, 22, 0, 0, 0x9700)
    body = b"\x42\x4d" + struct.pack(">H13H", 28, *words)
    return body + struct.pack(">H", sum(body))


class Pms5003(Device):
    """`values()` gives (pm1, pm2_5, pm10) for each frame."""

    def __init__(
        self,
        path: Path,
        values: Callable[[], tuple[int, int, int]] = lambda: (4, 10, 12),
        period_s: float = 0.2,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(path, faults)
        self.values = values
        self.period_s = period_s

    def step(self) -> None:
        """Send a frame and wait for the next."""
        self.line.send(frame(*self.values()))
        self.rest(self.period_s)
