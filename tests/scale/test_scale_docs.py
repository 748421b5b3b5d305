"""docs/scale.md is made from the measurements beside it."""

from __future__ import annotations

import pytest

from tools.scale_docs import PAGE, each, extrapolated, on_flink, runs_on_flink, slope, text


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == text()


def test_a_cost_that_doubles_with_the_series_has_slope_one() -> None:
    small = {"cities": 1, "series_a_city": 10, "minutes": 2, "cpu_s": 1.0}
    assert slope(small, {**small, "cities": 2, "minutes": 1, "cpu_s": 1.0}, "cpu_s") == pytest.approx(1.0)
    assert slope(small, {**small, "cities": 2, "minutes": 2, "cpu_s": 4.0}, "cpu_s") == pytest.approx(2.0)


def test_the_extrapolation_by_hand() -> None:
    # 3,000 devices of 2 series: 100 windows a second; 10 ms and 1 kB a window: 1 core, x 1.5 / 0.5 = 3; 100 kB/s.
    hour = {"cities": 1, "series_a_city": 10, "minutes": 60, "cpu_s": 6.0, "log_bytes": 600_000, "state_bytes": 60_000}
    hour |= {"peak_rss_bytes": 150_000_000, "base_rss_bytes": 50_000_000}
    # 100 kB/s x 604,800 s x 3 copies = 181.4 GB; 10 kB/s x 31,536,000 s = 315.4 GB; 496.8 GB x 0.08 = 40 EUR
    # Memory: 6,000 series of 10 MB each are 0.06 TB.
    row = "3,000|100|0|3|0.06|3|3|0.2|0|60 + 750 + 40 = 850"
    assert extrapolated(hour, 3000) == row.split("|")


def test_a_device_by_hand() -> None:
    # 60 windows of 10 ms, 100, 50 and 20 bytes: of 2 series 2,880 windows a day, 1,051,200 a year.
    hour = {"cities": 1, "series_a_city": 1, "minutes": 60, "cpu_s": 0.6, "peak_rss_bytes": 700_000}
    hour["base_rss_bytes"] = 200_000
    amounts = {"log_bytes": 6000, "value_bytes": 3000, "state_bytes": 1200}
    assert each({**hour, **amounts}, 2) == [
        "28.80 s a day",
        "1.00 MB",
        "0.29 MB a day",
        "0.14 MB a day",
        "0.02 GB a year",
    ]
    assert each({**hour, **amounts}, 2000)[:2] == ["28,800 s a day", "1,000 MB"]


def test_a_measurement_on_flink_by_hand() -> None:
    cost = {"cities": 2, "series_a_city": 100, "minutes": 5, "python_s": 0.03, "jvm_s": 0.02, "kafka_s": 0.01}
    rest = {"log_bytes": 130_000, "value_bytes": 7000, "peak_bytes": 3 << 20, "seconds": 4.4}
    row = "| 2 | 100 | 200 | 1,000 | 30 µs | 20 µs | 10 µs | 20,000 | 130 | 7 | 3 MiB | 4 s |"
    assert on_flink([{**cost, **rest}]).splitlines()[-1] == row


def test_a_run_is_shown_with_what_it_printed() -> None:
    run = {"cities": "2", "records": 1000, "values": 2000, "killed": 3, "slots": [1, 4], "kafka": 1, "lost": 5}
    rest = {"doubled": 6, "order": 7, "newest": [8, 9000], "minutes": 1.5, "mib": 1100, "says": "NOT EQUAL"}
    row = "| 2 | 1,000 | 2,000 | 3 | 1 → 4 | 1 | 5 | 6 | 7 | 8 of 9,000 | 1.5 | 1,100 MiB | NOT EQUAL |"
    assert runs_on_flink([{**run, **rest}]).splitlines()[-1] == row
    assert "| not noted |" in runs_on_flink([{**run, **rest, "newest": None}])
