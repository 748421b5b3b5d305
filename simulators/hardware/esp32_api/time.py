"""`time` of the ESP32 port: the epoch is 2000, and the clock is the one that RTC().datetime sets."""

import sys

_path = sys.path[:]
sys.path[:] = []
try:
    from time import *  # noqa: F403 - the built-in module behind this one

    from time import gmtime as _gmtime
    from time import mktime as _mktime
    from time import time_ns as _unix_ns
finally:
    sys.path[:] = _path

_EPOCH = 946684800
_shift = 0  # ns that the clock is ahead of this computer's


def _start() -> object:
    """A reset leaves the clock as it was, or moves it by `clock_ms`; a loss of power sets it to 2000."""
    global _shift
    from board import WORLD

    try:
        with open(WORLD["rtc"] + ".clock") as f:
            _shift = int(f.read()) + WORLD.get("clock_ms", 0) * 1000000
    except OSError:
        _shift = _EPOCH * 1000000000 - _unix_ns()


def _set(seconds, micro) -> object:
    global _shift
    from board import WORLD

    _shift = (seconds + _EPOCH) * 1000000000 + micro * 1000 - _unix_ns()
    with open(WORLD["rtc"] + ".clock", "w") as f:
        f.write(str(_shift))


def time_ns() -> object:
    """Nanoseconds since 2000."""
    if not _shift:
        _start()
    return _unix_ns() + _shift - _EPOCH * 1000000000


def time() -> object:
    """Whole seconds since 2000."""
    return time_ns() // 1000000000


def gmtime(seconds=None) -> object:
    """The fields of a time since 2000."""
    return _gmtime((time() if seconds is None else seconds) + _EPOCH)[:8]


localtime = gmtime


def mktime(fields) -> object:
    """Seconds since 2000 (this computer's local time must be UTC, as in the tests)."""
    days = 0
    year, month, day, hour, minute, second = fields[:6]
    for y in range(2000, year):
        days += 366 if y % 4 == 0 and (y % 100 or y % 400 == 0) else 365
    for m in range(1, month):
        leap = m == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        days += (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[m - 1]
    return (days + day - 1) * 86400 + hour * 3600 + minute * 60 + second
