"""The log of reported figures, and the first and last time of KPI values: what every store does with them."""

from __future__ import annotations

from adapters.store import LogEntry, Store
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import PeriodKind

ODD = '{"who":"Åse, O\'Neil = \\"x\\"","remark":"a\\nb; ü"}'


def test_the_log_of_a_city_comes_back_in_order(store: Store) -> None:
    assert store.figure_log("aba") == []
    entries = [
        LogEntry("aba", "EN:EN:AQ:1C no2 2024", 2_000, "{}"), LogEntry("aba", "EN:EN:AQ:1C no2 2024", 1_000, ODD),
        LogEntry("aba", "EC:ICT:ICT:1C 2024", 3_000, "{}"), LogEntry("other", "EC:ICT:ICT:1C 2024", 1, "{}"),
    ]  # fmt: skip
    store.put_log(entries)
    assert store.figure_log("aba") == [entries[2], entries[1], entries[0]]
    assert store.figure_log("other") == entries[3:]


def test_an_entry_that_is_written_again_is_there_once(store: Store) -> None:
    store.put_log([LogEntry("aba", "x 2024", 1, "{}")])
    store.put_log([LogEntry("aba", "x 2024", 1, '{"state":"draft"}')])
    store.put_log([])
    assert store.figure_log("aba") == [LogEntry("aba", "x 2024", 1, '{"state":"draft"}')]


def test_the_first_and_the_last_time_of_a_kind_of_period(store: Store) -> None:
    assert store.kpi_times("aba", "year") is None
    times: dict[PeriodKind, tuple[int, ...]] = {
        "year": (2_000_000, 5_000_000, 3_000_000),
        "month": (1_000_000, 9_000_000),
    }
    for kind, starts in times.items():
        values = [
            KpiValue(
                city="aba", code=f"EC:ICT:ICT:{n}C", part="", period="p", kind=kind, start=t, end=t + 1, value=1.0,
                unit="%", coverage=1.0, status="final", n_devices=0, method="m/1", notes="",
            )
            for n, t in enumerate(starts, start=1)
        ]  # fmt: skip
        store.put_kpis([StoredKpi(kpi=v, changed=1, previous=None, updated=1) for v in values])
    assert store.kpi_times("aba", "year") == (2_000_000, 5_000_000)
    assert store.kpi_times("aba", "month") == (1_000_000, 9_000_000)
    assert store.kpi_times("aba", "day") is None
