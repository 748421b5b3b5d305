"""Reporting periods: the only module that uses a time zone.

Calendar periods (year, quarter, month, day) are in the city's time zone; `24h` and `365d` are rolling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from telemetry.errors import UsageError
from telemetry.windows import HOUR, MINUTE

PeriodKind = Literal["year", "quarter", "month", "day", "24h", "365d"]
CALENDAR: tuple[PeriodKind, ...] = ("year", "quarter", "month", "day")
ROLLING: tuple[PeriodKind, ...] = ("24h", "365d")
KINDS: tuple[PeriodKind, ...] = CALENDAR + ROLLING
YEARLY: tuple[PeriodKind, ...] = ("year", "365d")  # whose sums are "per year"

_FORMS: dict[PeriodKind, str] = {
    "year": r"(\d{4})",
    "quarter": r"(\d{4})-Q([1-4])",
    "month": r"(\d{4})-(\d{2})",
    "day": r"(\d{4})-(\d{2})-(\d{2})",
}


class Period(NamedTuple):
    """A half-open time range [start, end) in UTC ms, with the label that users write, such as '2018-Q3'."""

    kind: PeriodKind
    label: str
    start: int
    end: int


def midnight(day: date, zone: ZoneInfo) -> int:
    """UTC ms at which the civil day starts in the zone."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return round(local.timestamp()) * 1000


def local_date(t: int, zone: ZoneInfo) -> date:
    """The civil date in the zone at UTC ms `t`."""
    return datetime.fromtimestamp(t / 1000, tz=zone).date()


def hour_phase(zone: ZoneInfo) -> int:
    """Offset in ms of the zone's civil hours against UTC hours (0 nearly everywhere; 30 min in India).

    Computed for a fixed date; a zone that changes by half an hour (Lord Howe) keeps that phase all year.
    """
    offset = datetime(2020, 1, 1, tzinfo=zone).utcoffset() or timedelta(0)
    return -(round(offset.total_seconds() / 60) * MINUTE) % HOUR


def calendar_period(kind: PeriodKind, day: date, zone: ZoneInfo) -> Period:
    """The calendar period of `kind` that contains the civil day."""
    y, m = day.year, day.month
    if kind == "year":
        first, after, label = date(y, 1, 1), date(y + 1, 1, 1), f"{y:04}"
    elif kind == "quarter":
        q = (m - 1) // 3
        first, after, label = date(y, 3 * q + 1, 1), _next_month(date(y, 3 * q + 3, 1)), f"{y:04}-Q{q + 1}"
    elif kind == "month":
        first, after, label = date(y, m, 1), _next_month(date(y, m, 1)), f"{y:04}-{m:02}"
    else:
        first, after, label = day, day + timedelta(days=1), day.isoformat()
    return Period(kind, label, midnight(first, zone), midnight(after, zone))


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def parse_period(text: str, zone: ZoneInfo) -> Period:
    """The period a user writes: 2018, 2018-Q3, 2018-07 or 2018-07-01. Raises UsageError."""
    for kind, form in _FORMS.items():
        match = re.fullmatch(form, text)
        if match:
            numbers = [int(digits) for digits in match.groups()]
            try:
                return calendar_period(kind, _first_day(kind, numbers), zone)
            except (ValueError, OverflowError):
                break
    raise UsageError(f"'{text}' is not a valid period; use 2018, 2018-Q3, 2018-07, 2018-07-01, 24h or 365d.")


def _first_day(kind: PeriodKind, n: list[int]) -> date:
    if kind == "quarter":
        return date(n[0], 3 * n[1] - 2, 1)
    return date(n[0], n[1] if len(n) > 1 else 1, n[2] if len(n) > 2 else 1)


def days_between(first: date, last: date) -> Iterator[date]:
    """Civil days from first to last, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def iso(t: int) -> str:
    """RFC 3339 UTC text of UTC ms, to the second, or to the millisecond where there are any."""
    time = datetime.fromtimestamp(t / 1000, tz=UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%S") + (f".{t % 1000:03}Z" if t % 1000 else "Z")


def local_clock(t: int, zone: ZoneInfo) -> str:
    """The local date and time of a moment (ms UTC), such as 2026-11-27 14:16."""
    return datetime.fromtimestamp(t / 1000, zone).strftime("%Y-%m-%d %H:%M")
