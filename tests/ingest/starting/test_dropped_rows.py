"""A store that drops rows older than its retention: of what it does not hold nothing is derived."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Level
from ingest.core import serve
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, MINUTE
from tests.ingest.samples import METERED, NOW, T0, city


class Limited(SqliteStore):
    """Drops what is older than T0, as InfluxDB does with a retention."""

    drops_old = True

    def put_partials(self, level: Level, partials: Partials, table: SeriesTable) -> None:
        super().put_partials(level, partials.where(partials.start >= T0), table)


@pytest.mark.parametrize(("kind", "found"), [(SqliteStore, [T0 - 40 * DAY, T0]), (Limited, [T0])])
def test_values_are_of_the_windows_that_the_store_holds(
    kind: type[SqliteStore], found: list[int], tmp_path: Path
) -> None:
    store, table = kind(tmp_path / "store.db"), SeriesTable()
    served = serve(store, table, city(), MINUTE)
    meter = table.id_of(Series("aba", "m1", "energy_delta"))
    for t in (T0, T0 - 40 * DAY):
        readings = Readings.of([meter] * 30, [t + n * MINUTE for n in range(30)], [1.0] * 30)
        served.take(fold(readings, MINUTE, table.modulus(readings.series)))
    values = [v.kpi for v in served.derive(NOW) if (v.kpi.code, v.kpi.kind) == (METERED, "day")]
    assert sorted(t for t in (T0 - 40 * DAY, T0) if any(k.value and k.start <= t < k.end for k in values)) == found
    store.close()
