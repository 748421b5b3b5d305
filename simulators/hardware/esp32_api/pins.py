"""Pins of the ESP32 port, and their soft callbacks."""

import sys

from board import CHIP, WORLD, Wire, claim, crash, world

_QUEUE = 8  # soft callbacks that can wait


def pin_id(pin) -> object:
    if isinstance(pin, Pin):
        return pin._id
    if isinstance(pin, int) and not isinstance(pin, bool) and pin in CHIP["pins"]:
        return pin
    raise ValueError("invalid pin")


class Pin:
    """A pin of the chip."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2
    levels = {}

    def __init__(self, pin, mode=None, pull=-1, *, value=None, drive=None, hold=None) -> None:
        self._id = pin_id(pin)
        self._wire = None
        if mode is not None or pull != -1 or value is not None:
            self.init(mode, pull, value=value)

    def init(self, mode=None, pull=-1, *, value=None, drive=None, hold=None) -> object:
        """Configure."""
        if mode == self.OUT and self._id in CHIP["reads"]:
            raise ValueError("pin can only be input")
        if mode in (self.OUT, self.OPEN_DRAIN):
            claim(self._id, "output")
        if pull in (self.PULL_UP, self.PULL_DOWN) and self._id in CHIP["reads"]:
            crash("GPIO%d has no pull resistor" % self._id)
        if value is not None:
            Pin.levels[self._id] = 1 if value else 0

    def value(self, level=None) -> object:
        """Read or set."""
        if level is None:
            if self._id in world().get("pressed", ()):
                return 0
            path = WORLD.get("levels")
            if path:
                with open(path) as f:
                    return int(f.read() or 1)
            return Pin.levels.get(self._id, 1)
        Pin.levels[self._id] = 1 if level else 0
        if self._id in WORLD.get("traced", ()):
            sys.stderr.write("PIN %d %d\n" % (self._id, 1 if level else 0))
        return None

    def on(self) -> object:
        """High."""
        self.value(1)

    def off(self) -> object:
        """Low."""
        self.value(0)

    def irq(self, handler=None, trigger=3, wake=None) -> object:
        """A soft callback: queued, run later; there is no hard one on this port."""
        claim(self._id, "interrupt")
        self._wire = Wire(WORLD.get("pulse", {}).get(str(self._id)))
        self._handler = handler
        _edges.append(self)
        return self

    def _pump(self) -> object:
        for _ in self._wire.read()[:_QUEUE]:
            self._handler(self)


_edges = []


def pump() -> object:
    """Between two bytecodes: run the callbacks that wait. The model does it wherever the firmware sleeps or polls."""
    for pin in _edges:
        pin._pump()
