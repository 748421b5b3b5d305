"""The control pilot of a charging station behind its divider, sampled by a board's converter."""

import random
from pathlib import Path

from simulators.hardware.line import Device

TOPS = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0, "F": -12.0}
SAMPLE_MS = 0.083


class ControlPilot(Device):
    """`state` is the letter, `duty` the part of a millisecond for which the wave is up (1: no wave).

    `noise` in volts at the pilot; `bounce`: how many of the next samples come from a relay that bounces; `broken`: the
    divider's upper resistor is off, and the pin hangs at the supply.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.state, self.duty = "A", 0.1
        self.noise, self.bounce, self.broken = 0.2, 0, False
        self._now = 0.0
        self._rng = random.Random(1)

    def volt(self) -> float:
        """The pilot at the next sample."""
        self._now += SAMPLE_MS
        if self.bounce:
            self.bounce -= 1
            return self._rng.uniform(-12, 12)
        wave = self.state in "BCD" and self._now % 1 >= self.duty
        return (-12.0 if wave else TOPS[self.state]) + self._rng.uniform(-self.noise, self.noise)

    def step(self) -> None:
        """Answer what has been asked: 120 kohm from the pilot, 27 kohm to 3.3 V, 20 kohm to ground."""
        for _ in self.line.receive():
            sum_of = 1 / 120 + 1 / 27 + 1 / 20
            pin = 3.3 if self.broken else (self.volt() / 120 + 3.3 / 27) / sum_of
            self.line.send(round(min(pin, 3.3) * 1e6).to_bytes(4, "little"))
