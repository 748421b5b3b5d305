"""Stamps: every way in which devices write a time gives the right moment, or a sentence."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from telemetry.errors import Rejected
from telemetry.periods import iso
from telemetry.stamps import read_stamp

BERLIN = ZoneInfo("Europe/Berlin")

FORMS = [
    ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
    ("2026-11-20T11:00:00", "2026-11-20T10:00:00Z"),  # the city's clock in winter
    ("2026-07-20T12:00:00", "2026-07-20T10:00:00Z"),  # and in summer
    ("1795168800", "2026-11-20T10:00:00Z"),
    ("1795168800000", "2026-11-20T10:00:00Z"),
    (1795168800000000, "2026-11-20T10:00:00Z"),
    (1795168800000000000, "2026-11-20T10:00:00Z"),
    (1661517385.44, "2022-08-26T12:36:25.440Z"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("2026-11-19T24:00:00Z", "2026-11-20T00:00:00Z"),
    ("Fri, 20 Nov 2026 10:00:00 GMT", "2026-11-20T10:00:00Z"),
    ("2026-11-20 10:00:00 UTC", "2026-11-20T10:00:00Z"),
    ("2026-11-20T09:00:00Z/2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z"),
    ("2020-08-11T08:59:45.869225403Z", "2020-08-11T08:59:45.869Z"),
]


@pytest.mark.parametrize(("given", "meant"), FORMS)
def test_a_stamp_is_read(given: object, meant: str) -> None:
    assert iso(read_stamp(given, BERLIN)) == meant


def test_a_hour_that_an_autumn_night_has_twice_is_the_one_near_the_arrival() -> None:
    first, second = 1_792_888_200_000, 1_792_891_800_000  # 2026-10-25T00:30Z and 01:30Z
    assert read_stamp("2026-10-25T02:30:00", BERLIN, first + 5000) == first
    assert read_stamp("2026-10-25T02:30:00", BERLIN, second + 5000) == second


def test_an_own_form_is_read() -> None:
    assert iso(read_stamp("20.11.2026 11:00", BERLIN, form="%d.%m.%Y %H:%M")) == "2026-11-20T10:00:00Z"


REFUSED = [
    ("2026-03-29T02:30:00", "does not exist in Europe/Berlin"),
    ("yesterday", "not a time"),
    ("", "not a time"),
    (True, "neither RFC 3339"),
    (float("nan"), "neither RFC 3339"),
    (1e300, "neither RFC 3339"),
    (None, "neither RFC 3339"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED)
def test_what_is_not_a_time_is_refused_with_the_reason(given: object, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        read_stamp(given, BERLIN)


def test_a_stamp_without_a_zone_is_not_guessed() -> None:
    with pytest.raises(Rejected, match="has no zone"):
        read_stamp("2026-11-20T11:00:00")
