"""Times as devices and files write them, read into milliseconds since 1970 UTC. Pure.

RFC 3339 and its relatives (a blank for the T, `UTC` for the Z, hour 24, a leap second, an interval, of which the start
counts), RFC 1123, and seconds, milliseconds, microseconds or nanoseconds since 1970 as a number or as text. Text
without a zone is read in the zone given, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from telemetry.errors import Rejected

_AHEAD = _HOUR = 3_600_000
_DAY = 24 * _HOUR
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - compared with local times, whose offset is subtracted
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"\s*(?:UTC|GMT)$", re.I)
_LAST_HOUR = re.compile(r"([T ])24(:?00)(:?00)?")
_LEAP = re.compile(r"(\d\d:?[0-5]\d:?)60")
_SCALES = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6))


def read_stamp(given: object, zone: ZoneInfo | None = None, near: int | None = None, form: str | None = None) -> int:
    """Ms UTC of a stamp. Raises Rejected with the reason.

    `zone`: of text that names none. `near`: a time (ms) close to it, which decides the hour that an autumn night has
    twice; without it the first one is taken. `form`: a strptime format for what is none of the usual ones.
    """
    if type(given) is int or type(given) is float:
        return _number(given)
    if isinstance(given, str):
        return _text(given.strip(), zone, near, form)
    if isinstance(given, datetime):
        return _moment(given, str(given), zone, near)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Rejected("the time is neither RFC 3339 text nor seconds since 1970")
    return _number(given)


def _number(given: float) -> int:
    if -1e20 < given < 1e20:
        for limit, factor in _SCALES:
            if abs(given) < limit:
                return round(given * factor)
    raise Rejected(f"the time {str(given)[:40]} is neither RFC 3339 text nor seconds since 1970")


def _text(text: str, zone: ZoneInfo | None, near: int | None, form: str | None) -> int:
    if form is None and text[4:5] == "-" and len(text) < 40:
        try:
            return _moment(datetime.fromisoformat(text), text, zone, near)
        except ValueError as error:
            if isinstance(error, Rejected):
                raise
    if form is not None:
        plain = _LAST_HOUR.sub(r"\g<1>00\2\3", text) if " 24" in text else text
        extra = timedelta(days=plain != text)
        try:
            return _moment(datetime.strptime(plain, form) + extra, text, zone, near)  # noqa: DTZ007 - the zone follows
        except ValueError as error:
            if isinstance(error, Rejected):
                raise
            raise Rejected(f"time '{text[:40]}' is not written like {form}") from None
    if _NUMBER.fullmatch(text) and len(text) > 8:
        return _number(float(text) if "." in text or "e" in text.lower() else int(text))
    begin, slash, end = text.partition("/")
    if slash and len(begin) >= 10 and begin[4:5] == "-" and end:
        text = begin
    return _moment(_calendar(text), text, zone, near)


def _calendar(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    plain, extra = _WORD.sub("+00:00", text), timedelta()
    if _LAST_HOUR.search(plain):
        plain, extra = _LAST_HOUR.sub(r"\g<1>00\2\3", plain), timedelta(days=1)
    elif _LEAP.search(plain):
        plain, extra = _LEAP.sub(r"\g<1>59", plain, count=1), timedelta(seconds=1)
    try:
        return datetime.fromisoformat(plain) + extra
    except (ValueError, OverflowError):
        pass
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise Rejected(f"'{text[:40]}' is not a time: neither RFC 3339 nor RFC 1123") from None


def _moment(moment: datetime, text: str, zone: ZoneInfo | None, near: int | None) -> int:
    if moment.tzinfo is None:
        since = moment - _EPOCH
        local = round(since / _MS) if since.microseconds else since.days * _DAY + since.seconds * 1000
        offset = None if zone is None else _offset(zone, local // _HOUR)
        if offset is not None:
            return local - offset
        if zone is None:
            raise Rejected(f"time '{text[:40]}' has no zone; write it in UTC with a Z, or give the source a `zone`")
        moment = _in_zone(moment, zone, near)
    try:
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        raise Rejected(f"time '{text[:40]}' lies outside of all calendars") from None


@lru_cache(maxsize=1024)
def _offset(zone: ZoneInfo, number: int) -> int | None:
    """Ms by which a zone is ahead of UTC in a local hour (its number since 1970); None where it changes in it."""
    hour = _EPOCH + timedelta(hours=number)
    if not 1900 < hour.year < 9000:
        return None
    found = {
        (hour + timedelta(minutes=minute)).replace(tzinfo=zone, fold=fold).utcoffset()
        for minute in (0, 15, 30, 45, 59)
        for fold in (0, 1)
    }
    [offset] = found if len(found) == 1 else [None]
    return None if offset is None else round(offset.total_seconds() * 1000)


def _in_zone(local: datetime, zone: ZoneInfo, near: int | None) -> datetime:
    first = local.replace(tzinfo=zone, fold=0)
    second = local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise Rejected(f"the local time {local.isoformat(' ')} does not exist in {zone.key}: its clocks skipped it")
    if near is None:
        return first
    return second if second.timestamp() * 1000 <= near + _AHEAD // 12 else first
