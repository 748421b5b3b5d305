"""A backlog leaves no faster than ingest stores it, so that live windows can overtake it."""

from __future__ import annotations

import pytest

from gateway.service import _FLIGHT, _RECEIPT_MS, _Flight

NOW = 1_709_294_400_000


@pytest.mark.parametrize(
    ("what", "flight", "now", "over"),
    [
        ("few windows need the broker's word only", _Flight(5, set(), {7}, NOW), NOW, True),
        ("the broker's word is needed", _Flight(5, {1}, set(), NOW), NOW + 60_000, False),
        ("a full flight waits for ingest", _Flight(_FLIGHT, set(), {7}, NOW), NOW + _RECEIPT_MS - 1, False),
        ("a stored one is over", _Flight(_FLIGHT, set(), set(), NOW), NOW, True),
        ("but not for ever: ingest may be away", _Flight(_FLIGHT, set(), {7}, NOW), NOW + _RECEIPT_MS, True),
        ("nor when the clock is set back", _Flight(_FLIGHT, set(), {7}, NOW), NOW - 1, True),
    ],
)
def test_the_next_flight_leaves_when(what: str, flight: _Flight, now: int, over: bool) -> None:
    assert flight.over(now) is over, what
