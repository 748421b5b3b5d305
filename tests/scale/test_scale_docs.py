"""docs/scale.md is made from the measurements beside it."""

from __future__ import annotations

import pytest

from tools.scale_docs import PAGE, extrapolated, slope, text


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == text()


def test_a_cost_that_doubles_with_the_series_has_slope_one() -> None:
    small = {"cities": 1, "series_a_city": 10, "minutes": 2, "cpu_s": 1.0}
    assert slope(small, {**small, "cities": 2, "minutes": 1, "cpu_s": 1.0}, "cpu_s") == pytest.approx(1.0)
    assert slope(small, {**small, "cities": 2, "minutes": 2, "cpu_s": 4.0}, "cpu_s") == pytest.approx(2.0)


def test_the_extrapolation_by_hand() -> None:
    # 3,000 devices of 2 series: 100 windows a second; 10 ms and 1,000 bytes a window: 1 core, x 3 / 0.5 = 6; 100 kB/s.
    cost = {"cities": 1, "series_a_city": 100, "minutes": 1, "cpu_s": 1.0, "log_bytes": 100_000, "state_bytes": 10_000}
    cells = [cell.strip() for cell in extrapolated(cost, 3000).strip("|").split("|")]
    # 100 kB/s x 604,800 s x 3 copies = 181.4 GB; 10 kB/s x 31,536,000 s = 315.4 GB; 496.8 GB x 0.08 = 40 EUR
    assert cells == ["3,000", "100", "0", "6", "3", "6", "0.2", "0", "120 + 750 + 40 = 910"]
