"""Noise levels: the directive's formula, sites, and people exposed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_derivation.engine.families.noise import lden
from telemetry.windows import MINUTE
from tests.kpi_derivation.golden.world import World, every

SITE = {"id": "n", "kind": "noise", "quantities": ["laeq"], "interval_s": 60}


def site(levels: dict[int, float], zone: str = "UTC", days: int = 3, **device: Any) -> World:
    """A site with a level for each local hour, three readings an hour."""
    w = World([{**SITE, "interval_s": 1200, **device}], timezone=zone, population=1000)
    values = [levels[(h // 3) % 24] for h in range(days * 72)]
    w.take(every("2020-01-10", days * 72, 20 * MINUTE, "n", "laeq", values))
    return w


def by_part(day: float, evening: float, night: float) -> dict[int, float]:
    return {h: day if 7 <= h < 19 else evening if 19 <= h < 23 else night for h in range(24)}


def test_a_level_that_never_changes_is_6_4_decibel_less_than_its_lden() -> None:
    """12 + 4 * 10^0.5 + 8 * 10 over 24: the constant that every table of the directive gives, 6.4 dB."""
    value = site(by_part(60, 60, 60)).value("LOCAL:N:LDEN", "2020-01-11", "lden").value
    assert value == pytest.approx(60 + 10 * math.log10((12 + 4 * 10**0.5 + 80) / 24), rel=1e-12)
    assert value == pytest.approx(66.4, abs=0.05)


def test_evening_and_night_weigh_more() -> None:
    w = site(by_part(60, 55, 50))
    assert w.value("LOCAL:N:LDEN", "2020-01-11", "lden").value == pytest.approx(60.0, rel=1e-12)
    assert w.value("LOCAL:N:LDEN", "2020-01-11", "lnight").value == pytest.approx(50.0, rel=1e-12)


def test_readings_add_up_as_energy_not_as_decibel() -> None:
    w = World([SITE])
    w.take(every("2020-01-10", 24 * 60, MINUTE, "n", "laeq", [50.0, 70.0] * (12 * 60)))
    mean = 10 * math.log10((10**5 + 10**7) / 2)
    assert w.value("LOCAL:N:LDEN", "2020-01-10", "lnight").value == pytest.approx(mean, rel=1e-9)


def test_night_is_night_in_the_city() -> None:
    w = site({h: 70.0 if 13 <= h < 21 else 40.0 for h in range(24)}, "Asia/Tokyo")  # 22 to 6 in Tokyo
    night = w.value("LOCAL:N:LDEN", "2020-01-11", "lnight").value
    assert night == pytest.approx(10 * math.log10((7 * 10**7 + 10**4) / 8), rel=1e-9)


def test_people_of_a_loud_site_are_exposed() -> None:
    w = site(by_part(60, 55, 50), population=250)
    assert w.value("EN:EN:EQ:2A", "2020-01-11").value == pytest.approx(25.0)
    quiet = site(by_part(50, 45, 40), population=250)
    assert quiet.value("EN:EN:EQ:2A", "2020-01-11").value == 0.0
    assert "population" in site(by_part(60, 55, 50)).value("EN:EN:EQ:2A", "2020-01-11").notes


def test_a_site_with_too_few_hours_is_left_out() -> None:
    value = site(by_part(60, 55, 50), days=1).value("LOCAL:N:LDEN", "2020-01", "lden")
    assert value.value is None
    assert "n" in value.notes


@settings(deadline=None)
@given(st.floats(30, 90), st.floats(30, 90), st.floats(30, 90), st.floats(0, 20))
def test_lden_moves_with_its_levels(day: float, evening: float, night: float, more: float) -> None:
    levels = [np.array([x]) for x in (day, evening, night)]
    louder = [x + more for x in levels]
    assert lden(*louder)[0] == pytest.approx(lden(*levels)[0] + more)
    assert lden(*levels)[0] >= min(day, evening, night) - 1e-9
