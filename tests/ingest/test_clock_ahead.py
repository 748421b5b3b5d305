"""An ingest clock that was ahead for a while leaves no values of times that have not come."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.city import City
from telemetry.kpi_value import KpiQuery
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE

NOW = 1_795_168_800_000  # 2026-11-20T10:00Z


def test_values_of_times_that_have_not_come_are_withdrawn(tmp_path: Path) -> None:
    devices = [{"id": "m", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600}]
    city = {"id": "town", "name": "Town", "country": "DE", "timezone": "UTC", "population": 10}
    ingest = Ingest(SqliteStore(tmp_path / "s.db"))
    ingest.add_city(City.model_validate({"city": city, "device": devices}), MINUTE)
    series = ingest.table.id_of(Series("town", "m", "energy_delta"))
    readings = Readings.of([series] * 480, [NOW - i * HOUR for i in range(1, 481)], [5.0] * 480)
    ingest.take("town", fold(readings, MINUTE, np.full(480, np.nan)))
    ingest.derive(NOW + 40 * DAY)  # the clock is 40 days ahead

    def ahead() -> list[str]:
        """Values of later times, and final ones of periods that are not over."""
        rows = [v.kpi for v in ingest.store.kpis(KpiQuery("town"))]
        late = [k for k in rows if k.value is not None and k.end > NOW + 2 * HOUR and k.kind in ("24h", "365d")]
        begun = [k for k in rows if k.value is not None and k.start > NOW]
        early = [k for k in rows if k.status == "final" and k.end > NOW]
        return [f"{k.code} {k.period}" for k in late + begun + early]

    assert ahead()
    ingest.derive(NOW + HOUR)
    assert ahead() == []
    found = {(v.kpi.code, v.kpi.period): v.kpi for v in ingest.store.kpis(KpiQuery("town"))}
    assert found["LOCAL:E:METERED", "2026-11"].status == "provisional"
