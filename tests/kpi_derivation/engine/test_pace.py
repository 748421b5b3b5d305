"""Long periods of gauges are derived once a minute; nothing waits longer, and nothing else waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import CityIngest, Ingest
from kpi_derivation.engine.pace import Pace
from registry.city import City
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import fold
from telemetry.periods import Period
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE

NOW = 1_709_294_400_000  # 2024-03-01T12:00Z
TODAY = Period("day", "2024-03-01", NOW - 12 * HOUR, NOW + 12 * HOUR)
MONTH = Period("month", "2024-03", NOW - 12 * HOUR, NOW + 30 * DAY)
ROLLING = Period("24h", "24h", NOW - DAY, NOW)
LAST = Period("month", "2024-02", NOW - 30 * DAY, NOW - 12 * HOUR)
GAUGE, ENERGY = {"no2"}, {"energy_delta"}
CITY = City.model_validate(
    {
        "city": {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos", "population": 100},
        "device": [
            {"id": "air", "kind": "air_reference", "quantities": ["no2"]},
            {"id": "meter", "kind": "electricity_meter", "quantities": ["energy_delta"]},
        ],
    }
)


@pytest.mark.parametrize(
    ("what", "period", "changed", "rest", "waits"),
    [
        ("a month of gauges", MONTH, GAUGE, True, True),
        ("the rolling 24 hours, whose end is over", ROLLING, GAUGE, True, True),
        ("the day", TODAY, GAUGE, True, False),
        ("energy", MONTH, ENERGY, True, False),
        ("both", MONTH, GAUGE | ENERGY, True, False),
        ("everything, as after a change of the city file", MONTH, None, True, False),
        ("a month that is over: its readings are late", LAST, GAUGE, True, False),
        ("where nothing may wait", MONTH, GAUGE, False, False),
    ],
)
def test_what_waits_for_its_minute(
    what: str, period: Period, changed: set[str] | None, rest: bool, waits: bool
) -> None:
    pace = Pace()
    assert pace.due({period: GAUGE}, NOW, True) == {period: GAUGE}, "the first change never waits"
    assert pace.due({period: changed}, NOW + MINUTE - 1, rest) == ({} if waits else {period: changed}), what
    assert pace.due({}, NOW + MINUTE, True) == ({period: changed} if waits else {}), what
    assert pace.due({}, NOW + 2 * MINUTE, True) == {}, "derived once"


def test_what_waited_is_derived_with_the_next_change_that_does_not_wait() -> None:
    pace = Pace()
    pace.due({MONTH: GAUGE}, NOW, True)
    assert pace.due({MONTH: {"pm10"}}, NOW + 1, True) == {}
    assert pace.due({MONTH: ENERGY}, NOW + 2, True) == {MONTH: ENERGY | {"pm10"}}


def test_a_clock_that_is_set_back_ends_the_wait() -> None:
    pace = Pace()
    pace.due({MONTH: GAUGE}, NOW + DAY, True)
    assert pace.due({MONTH: GAUGE}, NOW, True) == {MONTH: GAUGE}


def _take(ingest: Ingest, city: CityIngest, device: str, quantity: str, t: int, value: float) -> None:
    one = Readings.of([ingest.table.id_of(Series("aba", device, quantity))], [t], [value])
    city.take(fold(one, MINUTE, ingest.table.modulus(one.series)))


def _values(store: SqliteStore) -> dict[object, StoredKpi]:
    return {v.kpi.identity: v for v in store.kpis(KpiQuery("aba"))}


def _figures(store: SqliteStore) -> dict[object, tuple[float | None, float, int]]:
    return {name: (v.kpi.value, v.kpi.coverage, v.kpi.n_devices) for name, v in _values(store).items()}


@pytest.mark.parametrize("crash", [False, True])
def test_a_minute_later_or_after_a_crash_the_values_are_those_of_an_ingest_in_which_nothing_waits(
    tmp_path: Path, crash: bool
) -> None:
    stores = [SqliteStore(tmp_path / f"{name}.db") for name in ("paced", "whole")]
    ingests = [Ingest(store) for store in stores]
    cities = [ingest.add_city(CITY, MINUTE) for ingest in ingests]
    behind, t = 0, NOW + 6 * MINUTE
    for step in range(60):
        t = NOW + 6 * MINUTE + 15_000 * step
        for ingest, city, bounded in zip(ingests, cities, (True, False), strict=True):
            _take(ingest, city, "air", "no2", t - 1, 10.0 + step % 7)
            if step % 10 == 0:
                _take(ingest, city, "meter", "energy_delta", t - 1, 0.5)
            city.derive(t, bounded)
        paced, whole = map(_figures, stores)
        assert paced.keys() == whole.keys()
        late = {name for name in whole if paced[name] != whole[name]}
        behind += len(late)
        assert not any("energy" in str(name).lower() or "'day'" in str(name) for name in late)
    assert behind, "nothing ever waited, so nothing was tested"
    if crash:
        cities[0] = Ingest(stores[0]).add_city(CITY, MINUTE)
    for city in cities:
        city.derive(t + MINUTE, True)
    assert _figures(stores[0]) == _figures(stores[1])
