"""An LED that tells how far a node has come: once a second a short flash when all is well, two for no broker, three for
no network. It is on for the blink of a tick, so that it costs a battery little.
"""


class Led:
    """`pin` is an output."""

    def __init__(self, pin):
        self._pin = pin
        self._step = 0

    def show(self, online, network):
        """Called once a second: a pattern of eight ticks, one, two or three of them lit."""
        flashes = 1 if online else 2 if network else 3
        self._pin.value(1 if self._step < 2 * flashes and self._step % 2 == 0 else 0)
        self._step = (self._step + 1) % 8
