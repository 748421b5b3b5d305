"""A button to ground: held for ten seconds it makes the board one that is not enrolled."""

import machine
from micropython import const

from .. import files

_HOLD_MS = const(10000)


class Button:
    """`pin` is pulled up; the button connects it to ground."""

    def __init__(self, board, pin):
        self.board = board
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        self._since = None

    def look(self):
        """Called once a second."""
        if self._pin.value():
            self._since = None
            return
        now = self.board.ticks_ms()
        if self._since is None:
            self._since = now
            self.board.say("button", "pressed; held for 10 s it resets the node to unenrolled")
        elif now - self._since >= _HOLD_MS:
            self.board.say("button", "reset to unenrolled")
            files.save(self.board.state + "/reset", 1)
            self.board.reset()
