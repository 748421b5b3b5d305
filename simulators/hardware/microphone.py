"""An I2S microphone: a file of 16-bit samples at 16 kHz, which the board's I2S reads round and round."""

from __future__ import annotations

import array
import math
from pathlib import Path

from simulators.hardware.line import Device

RATE = 16000


def sine(hertz: float, decibel: float, seconds: float, full: float = 120.0) -> array.array[int]:
    """A pure tone of a sound level, for a microphone at which a full-scale sine is `full` dB."""
    peak = 32767 * 10 ** ((decibel - full) / 20)
    steps = range(round(seconds * RATE))
    return array.array("h", [round(peak * math.sin(2 * math.pi * hertz * n / RATE)) for n in steps])


class Microphone(Device):
    """`samples` is what it hears."""

    def __init__(self, path: Path, samples: array.array[int] | None = None) -> None:
        super().__init__(path.with_suffix(".line"))
        self.sound = path.with_suffix(".raw")
        self.sound.write_bytes((samples or sine(1000, 94, 2)).tobytes())

    def step(self) -> None:
        """Nothing to do: the file is there."""
        self.rest(0.5)
