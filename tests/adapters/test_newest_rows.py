"""The newest value of a year of each figure, for dashboards of many cities."""

from __future__ import annotations

from typing import Any

from adapters.newest_rows import NewestRows, slot
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.windows import DAY

YEAR = 365 * DAY


def kpi(value: float | None, year: int, kind: str = "year", code: str = "A", part: str = "") -> StoredKpi:
    start = (year - 1970) * YEAR
    made = KpiValue(
        city="aba", code=code, part=part, period=f"{year}", kind=kind, start=start, end=start + YEAR, value=value,  # type: ignore[arg-type]
        unit="%", coverage=1.0, status="final", n_devices=0, method="m",
    )  # fmt: skip
    return StoredKpi(kpi=made, changed=0, updated=0)


def verdict(k: KpiValue) -> int:
    return 0 if k.value is None else 2 if k.value >= 50 else 1


def shown(rows: Any) -> list[tuple[Any, ...]]:
    """Measurement, figure, and what it says; the times are looked at once."""
    found = []
    for row in rows:
        assert row.time == (slot("aba") if row.measurement == "newest" else 0)
        assert ("city" in row.tags) == (row.measurement == "figure")
        more = row.fields.get("value") if row.measurement == "newest" else row.fields["verdict"]
        found.append((row.measurement, row.tags["code"], row.tags["part"], row.fields["valued"], more))
    return found


def test_of_the_years_of_a_figure_the_last_one_counts_in_any_order() -> None:
    values = [kpi(40.0, 2024), kpi(60.0, 2025), kpi(30.0, 2023), kpi(7.0, 2025, code="B", part="x")]
    expected = [
        ("newest", "A", "", 1, 60.0), ("figure", "A", "", 1, 2),
        ("newest", "B", "x", 1, 7.0), ("figure", "B", "x", 1, 1),
    ]  # fmt: skip
    assert shown(NewestRows("aba", values, verdict).all()) == expected
    assert sorted(shown(NewestRows("aba", values[::-1], verdict).all())) == sorted(expected)


def test_values_of_months_and_days_are_of_no_year() -> None:
    assert shown(NewestRows("aba", [kpi(1.0, 2025, "month"), kpi(1.0, 2025, "24h")], verdict).all()) == []


def test_only_what_changes_is_written() -> None:
    rows = NewestRows("aba", [kpi(60.0, 2025), kpi(7.0, 2025, code="B")], verdict)
    assert shown(rows.changed([kpi(10.0, 2024)])) == [], "a late value of an earlier year"
    assert shown(rows.changed([kpi(45.0, 2025), kpi(46.0, 2026)])) == [
        ("newest", "A", "", 1, 46.0),
        ("figure", "A", "", 1, 1),
    ]
    assert shown(rows.changed([kpi(None, 2027)])) == [], "a year without a value hides none"


def test_a_newest_value_that_is_withdrawn_is_shown_no_more() -> None:
    rows = NewestRows("aba", [kpi(60.0, 2024), kpi(61.0, 2025)], verdict)
    assert shown(rows.changed([kpi(None, 2025)])) == [("newest", "A", "", 0, None), ("figure", "A", "", 0, 0)]
    assert shown(rows.changed([kpi(62.0, 2025)])) == [("newest", "A", "", 1, 62.0), ("figure", "A", "", 1, 2)]


def test_cities_have_times_of_their_own_within_one_shard() -> None:
    slots = {slot(f"m{n:03}") for n in range(1, 357)}
    assert len(slots) == 356
    assert max(slots) < 50 * DAY
