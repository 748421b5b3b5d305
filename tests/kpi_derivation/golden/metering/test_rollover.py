"""Registers that start again at zero: energy over the turn, by the device's modulus, against plain subtraction."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import CityIngest, Ingest
from registry.city import City, Device
from telemetry.kpi_value import KpiQuery
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.kpi_derivation.golden.world import World, at, every

METERED = "LOCAL:E:METERED"
# name -> modulus in kWh, hourly readings of one day over the turn. PZEM-004T shows 0.00 to 9999.99 kWh; many registers
# are 32 bits of Wh; a mechanical counter with five digits shows 0 to 99999 kWh.
CASES: dict[str, tuple[float, list[float]]] = {
    "pzem": (10000.0, [9997.25, 9998.50, 9999.99, 1.24, 2.49]),
    "pzem on the turn": (10000.0, [9998.0, 9999.0, 0.0, 1.0]),
    "32 bits of Wh": (2**32 / 1000, [4294965.5, 4294967.0, 1.204, 2.704]),
    "32 bits of 0.1 Wh": (2**32 / 10000, [429495.0, 429496.5, 0.7704, 2.2704]),
    "five digits": (100000.0, [99997.0, 99999.0, 1.0, 3.0]),
    "the turn in a gap": (10000.0, [9996.0, 9998.0, 2.0, 4.0]),
}


def meter(rollover: float | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 3600}
    return entry if rollover is None else {**entry, "rollover": {"energy_total": rollover}}


@pytest.mark.parametrize("case", CASES)
def test_a_day_over_the_turn_is_the_plain_difference_with_the_modulus(case: str) -> None:
    size, values = CASES[case]
    w = World([meter(size)])
    w.take(every("2020-01-01T06:00", len(values), HOUR, "m", "energy_total", values))
    assert w.value(METERED, "2020-01-01").value == pytest.approx(size + values[-1] - values[0], abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_turn_within_one_window_counts_the_same(case: str) -> None:
    size, values = CASES[case]
    table = SeriesTable([Series("c", "m", "energy_total"), Series("d", "m", "energy_total")])
    table.set_rollovers("c", {Series("c", "m", "energy_total"): size})
    t = [at("2020-01-01") + 1000 * i for i in range(len(values))]
    found = Readings.of([0] * len(values), t, values)
    [increase] = fold(found, MINUTE, table.modulus(found.series)).increase
    assert increase == pytest.approx(size + values[-1] - values[0], abs=1e-6)
    # The modulus is that of the device: a namesake in another city has none.
    assert table.modulus(np.array([0, 1])).tolist() == [size, float("inf")]


def test_rollover_must_be_that_of_a_register() -> None:
    for wrong, why in (
        ({"power": 100.0}, "not the quantity of a register"),
        ({"energy_total": 0.0}, "above 0, in kWh"),
    ):
        with pytest.raises(ValueError, match=why):
            Device(**{**meter(None), "rollover": wrong})


def test_a_rollover_that_is_set_later_makes_the_hours_again(tmp_path: Path) -> None:
    size, values = CASES["pzem"]
    file = {"city": {"id": "c", "name": "C", "country": "GB", "timezone": "UTC"}, "device": [meter(None)]}
    store = SqliteStore(tmp_path / "c.db")

    def serve(of: dict[str, Any]) -> CityIngest:
        return Ingest(store).add_city(City.model_validate(of), MINUTE)

    ingest, city = Ingest(store), copy.deepcopy(file)
    served = ingest.add_city(City.model_validate(city), MINUTE)
    # All in one hour: the increase of the stored hour was made without the modulus.
    t = [at("2020-01-01T06:00") + 10 * MINUTE * i for i in range(len(values))]
    found = Readings.of([ingest.table.id_of(Series("c", "m", "energy_total"))] * len(values), t, values)
    served.take(fold(found, MINUTE, ingest.table.modulus(found.series)))
    now = at("2020-02-01")
    served.derive(now)
    serve({**file, "device": [meter(size)]}).derive(now)
    [day] = [v.kpi for v in store.kpis(KpiQuery("c", ["day"], [METERED])) if v.kpi.period == "2020-01-01"]
    assert day.value == pytest.approx(size + values[-1] - values[0], abs=1e-6)
