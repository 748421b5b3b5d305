"""How a serial line is set."""

from __future__ import annotations

from typing import NamedTuple

_REFUSED: type[Exception]
try:
    import termios

    _REFUSED = termios.error
except ImportError:  # not on Windows
    _REFUSED = ValueError

REFUSED = (ValueError, _REFUSED)  # what setting a port raises, beside OSError


class LineSettings(NamedTuple):
    """Where a serial line is, and its baud rate, data bits, parity and stop bits."""

    port: str
    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: int = 1
