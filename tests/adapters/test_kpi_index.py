"""The values of a kind are found without reading those of the others: a city has hundreds of thousands."""

from __future__ import annotations

from pathlib import Path

from adapters.sqlite.store import SqliteStore
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.periods import PeriodKind
from telemetry.windows import DAY

DAYS = 20_000


def value(kind: PeriodKind, start: int) -> StoredKpi:
    kpi = KpiValue(
        city="c", code="LOCAL:E:METERED", part="", period="x", kind=kind, start=start, end=start + DAY,
        value=1.0, unit="kWh", coverage=1.0, status="final", n_devices=1, method="",
    )  # fmt: skip
    return StoredKpi(kpi=kpi, changed=start, updated=start)


def test_values_of_a_kind_do_not_cost_a_read_of_all_values(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.put_kpis([value("day", n * DAY) for n in range(DAYS)] + [value("year", n * DAY) for n in (0, 365)])
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    store._db.set_progress_handler(count, 100)
    for query in (
        KpiQuery("c", ["year"]),
        KpiQuery("c", ["year", "month"], start=100 * DAY),
        KpiQuery("c", ["day"], start=(DAYS - 3) * DAY),
    ):
        steps = 0
        found = store.kpis(query)
        assert 0 < len(found) < 4
        assert steps < DAYS / 100
    store.close()
