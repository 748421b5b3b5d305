"""Heartbeats against limits: what counts as stopped, and what cannot be said."""

from __future__ import annotations

import pytest

from registry.health import FORGOTTEN, Limits, beat_ms, checks

NOW = 1_795_000_000_000
S = 1000
LIMITS = Limits(ingest_s=120, gateway_s=300, kpi_s=7200)


def verdicts(*beats: tuple[str, str, int]) -> dict[str, bool | None]:
    """Name -> verdict, for heartbeats so many seconds ago."""
    return {c.name: c.ok for c in checks([(r, n, NOW - ago * S) for r, n, ago in beats], NOW, LIMITS)}


def test_all_that_was_heard_within_the_limits_is_well() -> None:
    found = verdicts(("ingest", "i", 120), ("gateway", "g", 300), ("kpi", "town", 7200))
    assert found == {"ingest i": True, "gateway g": True, "KPI values of town": True}


@pytest.mark.parametrize(("role", "limit"), [("ingest", 120), ("gateway", 300)])
def test_a_second_beyond_the_limit_is_stopped(role: str, limit: int) -> None:
    beats = {"ingest": 0, "gateway": 0} | {role: limit + 1}
    found = verdicts(*((r, "x", ago) for r, ago in beats.items()))
    assert found == {f"{r} x": r != role for r in beats}


def test_a_gateway_is_not_blamed_while_ingest_is_stopped() -> None:
    """Its windows are stored by nobody then."""
    assert verdicts(("ingest", "i", 500), ("gateway", "g", 500)) == {"ingest i": False, "gateway g": None}
    assert verdicts(("ingest", "i", 500), ("ingest", "j", 5), ("gateway", "g", 500))["gateway g"] is False
    # What ingest has not seen since it was heard last says nothing, even before ingest itself counts as stopped.
    assert verdicts(("ingest", "i", 100), ("gateway", "g", 310)) == {"ingest i": True, "gateway g": True}
    assert verdicts(("ingest", "i", 500), ("gateway", "g", 900))["gateway g"] is False  # it was silent before


def test_values_that_stand_still_while_windows_arrive_are_named() -> None:
    assert verdicts(("ingest", "i", 1), ("gateway", "g", 1), ("kpi", "town", 7300))["KPI values of town"] is False
    quiet = verdicts(("ingest", "i", 1), ("gateway", "g", 200), ("kpi", "town", 7201), ("kpi", "old", 9 * 86400))
    assert quiet["KPI values of town"] is True  # no window is so much newer
    assert quiet["KPI values of old"] is False


def test_what_was_not_heard_for_a_week_is_not_expected_any_more() -> None:
    week = FORGOTTEN // S
    assert verdicts(("ingest", "i", 1), ("gateway", "gone", week)) == {"ingest i": True}
    assert verdicts(("ingest", "gone", week), ("gateway", "g", 10)) == {"ingest": False, "gateway g": True}


def test_a_store_that_no_ingest_has_used_is_not_judged() -> None:
    [only] = checks([], NOW, LIMITS)
    assert (only.ok, only.text) == (None, "no ingest has written to this store in the last seven days")


def test_the_sentence_says_when_how_long_and_what_to_do() -> None:
    [only] = checks([("ingest", "ingest-1", NOW - 312 * S)], NOW, LIMITS)
    assert only.text == ("last heartbeat 2026-11-18T11:01:28Z, 312 s ago, over 120 s; is `cityvitals ingest` running?")


def test_four_heartbeats_fit_into_a_limit_and_none_is_rarer_than_every_half_minute() -> None:
    assert [beat_ms(limit) for limit in (300.0, 120.0, 16.0, 6.0, 0.001)] == [30_000, 30_000, 4000, 1500, 1]
