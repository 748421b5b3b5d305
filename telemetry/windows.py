"""Windows: integer arithmetic in UTC milliseconds, independent of time zones."""

from __future__ import annotations

from typing import overload

from telemetry.errors import UsageError
from telemetry.series import IntArray

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BASE_WIDTH = MINUTE

EARLIEST = 1_072_915_200_000  # 2004-01-01: clocks that start at 1970 or 2000 are before it
AHEAD = 5 * MINUTE  # how far in the future a correct clock may seem to be

_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY}


@overload
def window_start(t: int, width: int, phase: int = 0) -> int: ...
@overload
def window_start(t: IntArray, width: int, phase: int = 0) -> IntArray: ...
def window_start(t: int | IntArray, width: int, phase: int = 0) -> int | IntArray:
    """Start of the window of `width` ms that contains `t`; window starts are phase + k * width."""
    if not phase:  # the usual one; and NumPy divides by a number many times as fast as it takes the remainder
        return t // width * width
    return (t - phase) // width * width + phase


def is_due(deadline: int, now: int, interval: int) -> bool:
    """Whether a deadline at most `interval` ms ahead has passed; further ahead: the clock was set back."""
    return now >= deadline or deadline > now + interval


def parse_width(text: str) -> int:
    """Window width in ms from text like '60s', '5m' or '1h'. It must divide one hour evenly."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :] or "s"
    if not (number.isascii() and number.isdigit()) or unit not in _UNITS or int(number) == 0:
        raise UsageError(f"'{text}' is not a valid window width; use for example 60s, 5m or 1h.")
    width = int(number) * _UNITS[unit]
    if HOUR % width:
        raise UsageError(f"A window width must divide one hour evenly; {text} does not. Use 60s, 5m or 15m.")
    return width
