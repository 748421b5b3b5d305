"""From when to when the node's own certificate is valid: no true time can lie outside, and none before it."""

from micropython import const

from .. import BUILT

_FORTY_YEARS_MS = const(40 * 365 * 86400)


def _days(year, month, day):
    """Days from 1970 to a date of the Gregorian calendar."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _unix(text):
    """`261101000000Z` (UTCTime) or `20261101000000Z` (GeneralizedTime) as unix seconds."""
    if len(text) == 13:
        text = ("20" if text[:2] < "50" else "19") + text
    year, month, day, hour, minute, second = [int(text[:4])] + [int(text[at : at + 2]) for at in range(4, 14, 2)]
    return _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second


def window(der):
    """(not before, not after) of a DER certificate in unix seconds; (0, 0) where there is none in it."""
    for kind, size in ((0x17, 13), (0x18, 15)):
        mark = bytes((kind, size))
        at = der.find(mark)
        while at >= 0:
            first, second = der[at + 2 : at + 2 + size], der[at + 2 + size :]
            try:
                start = _unix(first.decode())
                end_size = second[1]
                return start, _unix(second[2 : 2 + end_size].decode())
            except (ValueError, IndexError, UnicodeError):
                at = der.find(mark, at + 1)
    return 0, 0


def _own(board):
    try:
        return window(board.enrolled(board.certificate)) if board.certificate else (0, 0)
    except OSError:
        return 0, 0


def not_before_ms(board):
    """The start of the node's certificate in unix milliseconds, 0 where it has none."""
    return _own(board)[0] * 1000


def possible(board, unix_ms):
    """Whether a time can be true: after the firmware was built, within the validity of the node's certificate."""
    start, end = _own(board)
    low = max(BUILT, start) * 1000
    high = end * 1000 if end else (BUILT + _FORTY_YEARS_MS) * 1000
    return low - 86400000 < unix_ms < high
