"""What is done for many series at once does not go through them one by one, and has the bits of each alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.row_days import ByRow, RowDays
from kpi_derivation.rules.metering import register_days
from kpi_derivation.rules.metering.register_days import energies_between, energy_between
from registry.city import City
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at

FIRST = at("2020-03-02")


def registers(rng: np.random.Generator, count: int) -> Readings:
    """Registers that are read at odd times for a day and a half, of which some fall, jump or have a single reading."""
    series, t, v = [], [], []
    for number in range(count):
        times = np.unique(rng.integers(0, 36 * 60, int(rng.choice([1, 2, 3, 20, 90])))) * MINUTE
        values = float(rng.choice([0.0, 5000.0])) + np.cumsum(rng.random(len(times)) * rng.choice([0.1, 3.0]))
        if rng.random() < 0.2:
            values[len(values) // 2 :] += float(rng.choice([-4000.0, 1e6]))
        series += [number] * len(times)
        t += (FIRST + times).tolist()
        v += np.abs(values).tolist()
    return Readings.of(series, t, v)


@pytest.mark.parametrize("seed", range(12))
def test_registers_count_between_two_times_what_each_counts_alone(seed: int) -> None:
    rng, count = np.random.default_rng(seed), 80
    readings = registers(rng, count)
    hours = fold(readings, HOUR, np.full(len(readings), np.inf))
    limit, modulus = rng.choice([np.nan, 2.0, 500.0], count), np.full(count, np.inf)
    for a, b in ((0, 24), (3, 27), (5, 6), (30, 90), (-9, -3)):
        bounds = np.array([FIRST + a * HOUR, FIRST + b * HOUR])
        alone = [energy_between(hours.take(hours.series == n), np.inf, bounds, float(limit[n])) for n in range(count)]
        assert energies_between(hours, hours.series, modulus, bounds, limit).tobytes() == np.array(alone).tobytes()


def test_the_rolling_day_of_plain_registers_is_summed_without_a_look_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    w = World([{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_total"]} for n in range(20)])
    hours = range(30)
    w.take(Reading(FIRST + h * HOUR, f"m{n}", "energy_total", 10.0 * n + h) for n in range(20) for h in hours)
    looked: list[int] = []
    alone = energy_between

    def noted(*args: Any) -> float:
        looked.append(1)
        return alone(*args)

    monkeypatch.setattr(register_days, "energy_between", noted)
    monkeypatch.setattr("kpi_derivation.engine.days.rolling.energy_between", noted, raising=False)
    found = [v for v in w.engine.evaluate(FIRST + 30 * HOUR) if v.code == "LOCAL:E:METERED" and v.kind == "24h"]
    assert [v.value for v in found] == [20 * 24.0]
    assert looked == []


def test_a_name_is_looked_up_once_a_series_however_often_it_changes() -> None:
    table = SeriesTable()
    city = City.model_validate(
        {
            "city": {"id": "c", "name": "C", "country": "NO", "timezone": "UTC"},
            "device": [{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_total"]} for n in range(9)],
        }
    )
    rows, asked = SeriesRows(city, table, {"energy_total"}), list[str]()

    def number(device: str, _: str) -> float:
        asked.append(device)
        return float(device[1:])

    numbers = ByRow(rows, number)
    for last in (3, 3, 9, 9):
        of = np.array([rows.of_series(table.id_of(Series("c", f"m{n}", "energy_total"))) for n in range(last)])
        assert numbers.of(of).tolist() == list(range(last))
    assert len(asked) == 9


@pytest.mark.parametrize("seed", range(20))
def test_row_days_are_sets_of_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    some, others = ({(int(r), int(d)) for r, d in rng.integers(0, 6, (int(rng.integers(0, 20)), 2))} for _ in range(2))
    a, b = RowDays.pairs(some), RowDays.pairs(others)
    assert (set(a), set(a | b), set(a - b), len(a)) == (some, some | others, some - others, len(some))
    assert (a.rows.tolist(), a.days) == (sorted({r for r, _ in some}), sorted({d for _, d in some}))
    assert list(a) == sorted(some)
    assert a.where(a.row > 2) == {(r, d) for r, d in some if r > 2}
