"""50 London homes with Trondheim's cars, and the air that a street's traffic adds, against numbers of others."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from kpi_derivation.engine.runner import Engine
from planning.charging import draws
from planning.charging.profiles import profiles
from planning.curves import averaged, summed
from planning.increment import increment, without_traffic
from planning.measured import parse_span
from planning.rebuilt import Nothing
from planning.scenario import Measured, Outcome, Scenario, run
from registry.city import City
from telemetry.errors import UsageError
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import IntArray, Series, SeriesTable
from tests.planning import independent
from tests.planning.recorded_data import grid, meters, ms, regulars, session_rows, sessions, station_hours

AUTUMN_2013, SHIFT = ("2013-08-01", "2014-01-01"), 313 * 7 * 86_400_000  # the same calendar days have the same weekdays
# (cars, p50 from, to, p95 from, to, added by rated power): the ranges in which a correct run of 300 draws falls.
RANGES = [
    (5, 54.1, 55.9, 60.5, 66.2, 80.9),
    (10, 61.7, 64.0, 69.1, 75.5, 116.9),
    (20, 74.8, 77.4, 83.4, 91.5, 188.9),
    (30, 86.0, 89.5, 96.3, 102.8, 260.9),
    (50, 105.5, 109.6, 115.7, 119.6, 404.9),
]


class Hours:
    """The London meters as a store would give them: hours of half-hourly energies."""

    def __init__(self) -> None:
        names, kw, over = meters()
        self.table = SeriesTable()
        first = (ms("2013-07-30T00:00:00Z") - over.start) // over.step
        parts = []
        for name, curve in zip(names, kw, strict=True):
            there = np.flatnonzero(~np.isnan(curve))
            there = there[there >= first]
            series = np.full(len(there), self.table.id_of(Series("lcl", name, "energy_delta")))
            parts.append(Readings.of(series, over.start + there * over.step, curve[there] / 2))
        every = Readings.concat(parts)
        windows = fold(every, over.step, self.table.modulus(every.series))
        devices = [
            {"id": name, "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 1800}
            for name in names
        ]
        numbers = {"id": "lcl", "name": "London", "country": "GB", "timezone": "UTC"}
        self.city = City.model_validate({"city": numbers, "device": devices})
        self.hours = Engine(self.city, self.table, Nothing()).absorb(windows)

    def partials(
        self, city: str, level: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        ids = np.array([table.id_of(name) for name in self.table.all])
        rows = self.hours.take((self.hours.start >= start) & (self.hours.start < end))
        moved = Partials(ids[rows.series], *(getattr(rows, name) for name in Partials.__slots__[1:]))
        yield moved if series is None else moved.take(np.isin(moved.series, series))


@pytest.fixture(scope="module")
def london() -> Hours:
    return Hours()


def scenario(london: Hours, cars: int, count: int) -> Outcome:
    entry = {"kind": "ev_share", "share": cars / 50, "homes": 50, "kw": 7.2}
    period = parse_span("2013-08..2013-12", london.city)
    measured = Measured(london.city, london, period, ms("2014-06-01T00:00:00Z"), sessions())
    return run(Scenario(name="cars", transforms=(entry,), draws=count), measured)


@pytest.mark.parametrize(("cars", "low", "high", "low95", "high95", "rated"), RANGES)
def test_peaks_of_homes_with_cars(
    cars: int, low: float, high: float, low95: float, high95: float, rated: float
) -> None:
    """The sum itself, for every number of cars; that a scenario gives the same is the test after this one."""
    _, kw, over = meters()
    part = slice((ms(f"{AUTUMN_2013[0]}T00:00:00Z") - over.start) // over.step, None)
    base = summed(kw[:, part])
    half_hours = grid(*AUTUMN_2013, 30)
    there = regulars(grid("2019-08-01", "2020-01-01")).shifted(-SHIFT)
    own = profiles(there, 7.2, half_hours)
    chosen = draws.orders(70, 50, 300, 1, half_hours)
    found = draws.peaks(base, own, chosen, [0, cars], half_hours)
    assert found[0, 0] == pytest.approx(44.910, abs=0.0005)
    assert low <= np.median(found[:, 1]) <= high
    assert low95 <= np.percentile(found[:, 1], 95) <= high95
    assert 44.910 + cars * 7.2 == pytest.approx(rated, abs=0.05)
    names = regulars(grid("2019-08-01", "2020-01-01")).users
    curves = independent.user_curves(
        session_rows(), 7.2, half_hours.start + SHIFT, half_hours.end + SHIFT, half_hours.step
    )
    plain = base.tolist()
    for user in chosen.user[0, :cars].tolist():
        for number, power in curves[names[user]].items():
            plain[number] += power
    assert found[0, 1] == pytest.approx(max(plain), rel=1e-9)


def test_the_scenario_gives_the_same_through_the_catalogue(london: Hours) -> None:
    found = scenario(london, 20, 60)
    peak = next(v for v in found.values if v.code == "LOCAL:E:PEAK")
    assert peak.baseline == pytest.approx(44.910, abs=0.0005)
    assert "2013-12-17T19:00:00Z" in next(v.notes for v in scenario(london, 0, 1).values if v.code == "LOCAL:E:PEAK")
    assert found.interval_min == 30
    half_hours = grid(*AUTUMN_2013, 30)
    quarters = grid(*AUTUMN_2013)
    there = regulars(grid("2019-08-01", "2020-01-01")).shifted(-SHIFT)
    chosen = draws.orders(70, 20, 60, 1, quarters)
    _, kw, over = meters()
    base = np.repeat(summed(kw[:, (half_hours.start - over.start) // over.step :]), 2)
    own = profiles(there, 7.2, quarters)
    by_hand = [
        float((base + averaged(draws.sum_of(own, chosen.user[b], chosen.move[b], quarters), 2)).max())
        for b in range(60)
    ]
    assert peak.p50 == pytest.approx(independent.percentile(by_hand, 0.5), rel=1e-9)
    assert peak.p95 == pytest.approx(independent.percentile(by_hand, 0.95), rel=1e-9)
    assert peak.p50 is not None
    assert 74.0 <= peak.p50 <= 78.0  # 60 draws instead of 300


@pytest.mark.parametrize(
    ("station", "hours", "mean", "added", "low", "high"),
    [
        ("union-street", 8604, 38.16, 17.72, 15.1, 20.3),
        ("wellington-road", 8612, 39.31, 18.86, 15.9, 22.0),
        ("market-street-2", 8567, 32.49, 12.13, 8.3, 16.2),
        ("king-street", 7532, 22.21, 2.06, 0.6, 3.4),
        ("anderson-dr", 8182, 17.41, -2.55, -5.3, 0.2),
    ],
)
def test_what_the_traffic_of_a_street_adds(
    station: str, hours: int, mean: float, added: float, low: float, high: float
) -> None:
    found, t = station_hours("no2")
    made = increment(found[station], found["errol-place"], t.astype(np.int64))
    assert made.increment.hours == hours
    assert made.street_mean == pytest.approx(mean, abs=0.005)
    assert made.increment.value == pytest.approx(added, abs=0.005)
    assert made.increment.low == pytest.approx(low, abs=0.4)
    assert made.increment.high == pytest.approx(high, abs=0.4)
    assert ("not a clean background" in made.note) == (added < 0)
    both = zip(found[station].tolist(), found["errol-place"].tolist(), strict=True)
    pairs = [(a, b) for a, b in both if not (math.isnan(a) or math.isnan(b))]
    assert made.increment.value == pytest.approx(sum(a - b for a, b in pairs) / len(pairs))


def test_closing_a_street_takes_away_at_most_its_increment() -> None:
    found, t = station_hours("no2")
    made = increment(found["union-street"], found["errol-place"], t.astype(np.int64))
    cut = without_traffic(made, 0.5, 0.4, "no2")
    assert cut.change.value == pytest.approx(-0.2 * made.increment.value)
    assert cut.mean.value == pytest.approx(made.street_mean - 0.2 * made.increment.value)
    assert cut.change.low < cut.change.value < cut.change.high < 0
    assert any("upper bound" in note for note in cut.notes)
    assert any("-4 %" in note for note in cut.notes)
    with pytest.raises(UsageError, match=r"removed = 1\.5"):
        without_traffic(made, 1.5, 0.4, "no2")
    with pytest.raises(UsageError, match="no valid hour in common"):
        increment(found["union-street"], np.full(8760, np.nan), t.astype(np.int64))
