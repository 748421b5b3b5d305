"""Pulse counting on an ESP32: totals that survive every reset but a loss of power.

The chip's own counter (MicroPython 1.26 and later; not on the C3) continues while a handshake or anything else blocks
the interpreter, with a filter against glitches. Without it each edge is an interrupt that waits in a queue of eight: an
output of more than eight pulses in two seconds needs the counter.
"""

import struct

from . import rtc_memory


class _Edges:
    """Counts callbacks. A debounce by time would count a queue of late callbacks as one: the filter is the wiring's."""

    def __init__(self, machine, pin):
        self._count = 0
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        self._pin.irq(self._edge, machine.Pin.IRQ_FALLING)

    def _edge(self, _pin):
        self._count += 1

    def value(self):
        """Since the start."""
        return self._count


def counter(machine, unit, pin, options):
    """The chip's counter of a unit where it has one, else interrupts; `value()` counts falling edges."""
    if not hasattr(machine, "Counter"):
        return _Edges(machine, pin)
    made = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
    filter_ns = options.get("filter_ns", 12000)  # the longest that it can
    return machine.Counter(unit, made, edge=machine.Counter.FALLING, filter_ns=filter_ns)


class Pulses:
    """What was counted before the reset, and what is counted since."""

    def __init__(self, board, pin, source):
        self._board = board
        self._name = "pulses%d" % pin
        self._source = source
        data = rtc_memory.get(board, self._name)
        self._before = struct.unpack("<Q", data)[0] if len(data) == 8 else 0
        self._kept = self._before

    def count(self):
        """Pulses since power-on."""
        return self._before + self._source.value()

    def keep(self):
        """Save the total where it survives a reset."""
        now = self.count()
        if now != self._kept:
            rtc_memory.put(self._board, self._name, struct.pack("<Q", now))
            self._kept = now
