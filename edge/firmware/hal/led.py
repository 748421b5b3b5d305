"""An LED for the state of a node: every second one short flash when connected, two without a broker, three without a
network. Each flash is one tick long, to save power.
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
