"""Reporting periods: civil days of the city, also where clocks change and where hours begin at half past."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.errors import UsageError
from telemetry.periods import (
    CALENDAR,
    Period,
    PeriodKind,
    calendar_period,
    days_between,
    hour_phase,
    iso,
    local_date,
    midnight,
    parse_period,
)  # fmt: skip
from telemetry.windows import HOUR, MINUTE, window_start

ZONES = [
    "UTC", "Europe/London", "Europe/Oslo", "Asia/Kolkata", "Asia/Kathmandu", "America/Los_Angeles", "Australia/Sydney",
    "Pacific/Auckland", "America/St_Johns", "Pacific/Chatham", "Africa/Casablanca",
]  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1996, 1, 1), date(2098, 12, 30))
OSLO = ZoneInfo("Europe/Oslo")


def hours(period: Period) -> float:
    return (period.end - period.start) / HOUR


@given(zones, days)
def test_every_time_of_a_day_lies_in_that_day(zone: ZoneInfo, day: date) -> None:
    found = calendar_period("day", day, zone)
    assert local_date(found.start, zone) == day == local_date(found.end - 1, zone)
    assert local_date(found.start - 1, zone) == day - timedelta(days=1)


@given(zones, days, st.sampled_from(CALENDAR))
def test_periods_follow_each_other_without_gap_or_overlap(zone: ZoneInfo, day: date, kind: PeriodKind) -> None:
    found = calendar_period(kind, day, zone)
    after = calendar_period(kind, local_date(found.end, zone), zone)
    assert found.start < found.end == after.start < after.end
    assert local_date(found.start, zone) <= day <= local_date(found.end - 1, zone)


@given(zones, st.integers(1997, 2097), st.sampled_from([("year", "quarter"), ("quarter", "month"), ("month", "day")]))
def test_a_period_is_tiled_by_the_smaller_ones(zone: ZoneInfo, year: int, pair: tuple[PeriodKind, PeriodKind]) -> None:
    big, small = pair
    whole = calendar_period(big, date(year, 2, 28), zone)
    civil = days_between(local_date(whole.start, zone), local_date(whole.end - 1, zone))
    tiles = sorted({calendar_period(small, day, zone) for day in civil}, key=lambda p: p.start)
    assert (tiles[0].start, tiles[-1].end) == (whole.start, whole.end)
    assert all(a.end == b.start for a, b in pairwise(tiles))


@given(zones, days, st.sampled_from(CALENDAR))
def test_a_label_is_read_back_as_its_period(zone: ZoneInfo, day: date, kind: PeriodKind) -> None:
    found = calendar_period(kind, day, zone)
    assert parse_period(found.label, zone) == found


@given(zones, days)
def test_a_civil_day_is_whole_hours_of_the_zones_phase(zone: ZoneInfo, day: date) -> None:
    found, phase = calendar_period("day", day, zone), hour_phase(zone)
    assert window_start(found.start, HOUR, phase) == found.start
    assert hours(found) in (23, 24, 25)


@given(zones, days)
def test_midnight_agrees_with_the_clock_on_the_wall(zone: ZoneInfo, day: date) -> None:
    wall = datetime.fromtimestamp(midnight(day, zone) / 1000, zone)
    assert wall.date() == day
    assert (wall.hour, wall.minute) == (0, 0)


@pytest.mark.parametrize(
    ("day", "length"),
    [("2018-03-25", 23), ("2018-10-28", 25), ("2018-03-24", 24), ("2019-03-31", 23), ("2019-10-27", 25)]
)  # fmt: skip
def test_days_of_oslo_on_which_the_clocks_change(day: str, length: int) -> None:
    assert hours(parse_period(day, OSLO)) == length


def test_a_day_of_oslo_in_utc() -> None:
    found = parse_period("2018-03-25", OSLO)
    assert (iso(found.start), iso(found.end)) == ("2018-03-24T23:00:00Z", "2018-03-25T22:00:00Z")


def test_the_quarters_of_2018_in_oslo_know_summer_time() -> None:
    assert [hours(parse_period(f"2018-Q{q}", OSLO)) for q in (1, 2, 3, 4)] == [2159, 2184, 2208, 2209]
    assert hours(parse_period("2018", OSLO)) == hours(parse_period("2020", OSLO)) - 24 == 8760


@pytest.mark.parametrize(
    ("zone", "minutes"),
    [("UTC", 0), ("Europe/Oslo", 0), ("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("America/St_Johns", 30),
     ("Pacific/Chatham", 15)],
)  # fmt: skip
def test_civil_hours_begin_this_many_minutes_after_utc_hours(zone: str, minutes: int) -> None:
    assert hour_phase(ZoneInfo(zone)) == minutes * MINUTE


def test_a_year_of_kolkata_begins_at_half_past() -> None:
    assert iso(parse_period("2018", ZoneInfo("Asia/Kolkata")).start) == "2017-12-31T18:30:00Z"


@pytest.mark.parametrize(
    "text",
    ["", "18", "2018-Q0", "2018-Q5", "2018-13", "2018-00", "2018-02-30", "2018-7", "2018/07", "9999", "0000",
     "9999-12-31", "last year", "2018-07-01T00", " 2018"],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(UsageError, match="2018-Q3"):
        parse_period(text, OSLO)


@given(st.integers(0, 4_102_444_800_000))
def test_iso_is_the_time_it_names(t: int) -> None:
    moment = datetime.fromisoformat(iso(t))
    assert moment.tzinfo == UTC
    assert round(moment.timestamp() * 1000) == t
