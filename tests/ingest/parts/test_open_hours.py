"""Rows of the open hour are stored every few minutes where the operator says so, and nothing else changes for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import HOUR, MINUTE
from tests.ingest.samples import PutPoints

T0 = 1_709_294_400_000  # 2024-03-01T12:00Z
EVERY = 30 * MINUTE
STATIONS = 4
CITY = City.model_validate(
    {
        "city": {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos", "population": 100},
        "device": [
            *({"id": f"m{n}", "kind": "air_reference", "quantities": ["no2"]} for n in range(STATIONS)),
            {"id": "ev", "kind": "ev_charger", "quantities": ["session_energy"]},
        ],
    }
)


class Town:
    """An ingest of a city on a file; `hours`: rows that were stored of hours."""

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every, self.hours = path, every, 0
        self.start()

    def start(self) -> None:
        """As after a crash: only what is on disk counts."""
        store = SqliteStore(self.path)
        put, self.store = store.put_partials, store

        def counted(level: Any, partials: Partials, table: Any) -> None:
            self.hours += len(partials) if level == "hour" else 0
            put(level, partials, table)

        store.put_partials = counted  # type: ignore[method-assign]
        self.ingest = Ingest(store, self.every)
        self.ingest.add_city(CITY, MINUTE)

    def crash(self) -> None:
        self.store.close()
        self.start()

    def minute(self, number: int, devices: range = range(STATIONS), derived: bool = True) -> None:
        """A reading of each device in this minute after T0; `derived`: then the values."""
        table, t = self.ingest.table, T0 + number * MINUTE
        ids = [table.id_of(Series("aba", f"m{n}", "no2")) for n in devices]
        self.take(Readings.of(ids, [t] * len(ids), [1.0 + n + number for n in devices]))
        if derived:
            self.ingest.derive(t + MINUTE)

    def take(self, readings: Readings) -> None:
        self.ingest.take("aba", fold(readings, MINUTE, self.ingest.table.modulus(readings.series)))

    def rows(self) -> list[tuple[Any, ...]]:
        """The hours that are stored."""
        table = self.ingest.table
        found: Iterator[Partials] = self.store.partials("aba", "hour", T0 - HOUR, T0 + 9 * HOUR, table)
        return sorted(
            (table[s].device, *rest)
            for p in found
            for s, *rest in zip(
                *(np.nan_to_num(getattr(p, f)).tolist() for f in ("series", "start", "n", "sum")), strict=True
            )
        )

    def values(self) -> list[tuple[Any, ...]]:
        return sorted((v.kpi.identity, v.kpi.value, v.kpi.coverage) for v in self.store.kpis(KpiQuery("aba")))


@pytest.fixture
def towns(tmp_path: Path) -> tuple[Town, Town]:
    return Town(tmp_path / "each.db", 0), Town(tmp_path / "later.db", EVERY)


def test_rows_of_the_open_hour_are_few_and_values_the_same(towns: tuple[Town, Town]) -> None:
    for number in range(0, 130, 4):
        for town in towns:
            town.minute(number)
        assert towns[0].values() == towns[1].values()
    assert towns[1].hours < towns[0].hours / 3
    for town in towns:
        town.ingest.derive(T0 + 170 * MINUTE)
    assert towns[0].rows() == towns[1].rows()


@pytest.mark.parametrize("crash", [3, 59, 60, 61])
def test_after_a_crash_the_hours_that_waited_are_made_again(crash: int, towns: tuple[Town, Town]) -> None:
    for number in (0, 1, 3, 40, 58, 59, 60, 61, 62, 80):
        for town in towns:
            town.minute(number, derived=number in (40, 80))
            if number == crash:
                town.crash()
    towns[1].ingest.checkpoint()
    assert towns[0].rows() == towns[1].rows()
    assert towns[0].values() == towns[1].values()


@pytest.mark.parametrize("silent", [0, 60])
def test_rows_of_an_older_hour_are_stored_before_the_first_of_a_newer_one(
    silent: int, towns: tuple[Town, Town]
) -> None:
    """Of the newer hour there may be one device only, so that a start reads no window of the older one."""
    for town in towns:
        town.minute(0)
        for number in (57, 58, 59):
            town.minute(number)
        town.minute(60 + silent, range(1))
        town.crash()
    assert towns[0].rows() == towns[1].rows()


@pytest.mark.parametrize("crash", range(9))
def test_an_hour_that_is_over_is_stored_in_parts_and_before_later_ones(
    crash: int, towns: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash comes in each round once; hours follow each other faster than their rows are stored."""
    monkeypatch.setattr("ingest.open_hours._PART", 1)
    most = 0
    for number, minute in enumerate((0, 1, 2, 61, 62, 121, 90, 122, 123)):
        for town in towns:
            before = town.hours
            town.minute(minute, derived=False)
            if town is towns[1] and number > 3:
                most = max(most, town.hours - before)
        if number == crash:
            towns[1].crash()
    assert most <= 2 * STATIONS or crash < 4
    towns[1].ingest.checkpoint()
    assert towns[0].rows() == towns[1].rows()


def test_the_rows_of_each_series_wait_for_their_own_minutes(towns: tuple[Town, Town]) -> None:
    """Of a large city all at once would delay what is live."""
    town = towns[1]
    for number in range(10):
        town.minute(number, range(STATIONS - 1))
    town.minute(10, range(STATIONS - 1, STATIONS))
    stored = []
    for number in range(11, 45):
        before = town.hours
        town.minute(number)
        stored.append(town.hours - before)
    assert STATIONS not in stored
    assert sum(stored) == STATIONS


@pytest.mark.parametrize("few", [2000, 1])
def test_rows_of_few_series_do_not_wait_for_the_last_part_of_their_time(
    few: int, towns: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A put for the rows of each second costs more than some rows that are stored earlier."""
    monkeypatch.setattr("ingest.open_hours._FEW", few)
    town = towns[1]
    for number in range(STATIONS):
        town.minute(number, range(number + 1))
    stored = []
    for number in range(STATIONS, 45):
        before = town.hours
        town.minute(number)
        stored.append(town.hours - before)
    assert (stored.count(0) == len(stored) - 1, STATIONS in stored) == ((True, True) if few > 1 else (False, False))


def test_sessions_and_late_readings_do_not_wait(towns: tuple[Town, Town]) -> None:
    for town in towns:
        for number in (61, 62):
            town.minute(number)
        session = town.ingest.table.id_of(Series("aba", "ev", "session_energy"))
        for second in range(3):
            town.take(Readings.of([session], [T0 + HOUR + 1000 * second], [7.0], [second + 1]))
        town.minute(2)
    assert [row for row in towns[0].rows() if row[0] == "ev" or row[1] == T0] == [
        row for row in towns[1].rows() if row[0] == "ev" or row[1] == T0
    ]


def test_rows_that_the_store_did_not_take_wait_for_the_next_time(
    towns: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    each, later = towns
    for town in towns:
        town.minute(0)
        town.minute(1)
        town.minute(2)
    good = later.store.put_partials

    def fails(level: Any, partials: Partials, table: Any) -> None:
        if level == "hour":
            raise Unavailable("no store")
        good(level, partials, table)

    monkeypatch.setattr(later.store, "put_partials", fails)
    with pytest.raises(Unavailable):
        later.ingest.derive(T0 + 60 * MINUTE)
    monkeypatch.setattr(later.store, "put_partials", good)
    later.ingest.derive(T0 + 61 * MINUTE)
    each.ingest.derive(T0 + 61 * MINUTE)
    assert each.rows() == later.rows()


def test_the_air_band_of_an_hour_is_written_with_its_row(towns: tuple[Town, Town]) -> None:
    """It is a field of that row: of a mean that changes with every window it would be most of what is written."""

    written = []
    for town in towns:
        points = PutPoints()
        town.store.points = points
        town.ingest.add_city(CITY, MINUTE)
        for number, value in enumerate((5.0, 300.0, 5.0)):
            town.take(Readings.of([town.ingest.table.id_of(Series("aba", "m0", "no2"))], [T0 + number], [value]))
        town.ingest.derive(T0 + 1)
        written.append(points.bands)
    assert len(written[0]) == 3, "each change where no row waits"
    assert written[1] == written[0][:1]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_rows_of_meters_wait_although_their_quarters_do_not(zone: str, tmp_path: Path) -> None:
    """Demand of a quarter is a row that starts within the hour; a start after a crash makes the row of the hour."""
    devices = [{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_total"]} for n in range(2)]
    plain = {"id": "aba", "name": "Aba", "country": "NG", "timezone": zone, "population": 100}
    store, start = SqliteStore(tmp_path / "store.db"), T0 + 30 * MINUTE
    put, rows = store.put_partials, list[int]()

    def counted(level: Any, partials: Partials, table: Any) -> None:
        rows.append(int(table.has("energy_total", partials.series).sum()) if level == "hour" else 0)
        put(level, partials, table)

    store.put_partials = counted  # type: ignore[method-assign]

    def served() -> Ingest:
        made = Ingest(store, EVERY)
        made.add_city(City.model_validate({"city": plain, "device": devices}), MINUTE)
        return made

    ingest = served()

    def give(minute: int, *meters: int) -> None:
        ids = [ingest.table.id_of(Series("aba", f"m{n}", "energy_total")) for n in meters]
        readings = Readings.of(ids, [start + minute * MINUTE] * len(ids), [100.0 + minute] * len(ids))
        ingest.take("aba", fold(readings, MINUTE, ingest.table.modulus(readings.series)))
        ingest.derive(start + minute * MINUTE)

    for minute in range(16):
        give(minute, 0, 1)
    rows.clear()
    for minute in range(16, 22):
        give(minute, 0, 1)
    for minute in range(22, 29):
        give(minute, 0)  # of the newest quarter there is one meter only
    assert sum(rows) == 0
    ingest = served()
    [stored] = store.partials("aba", "hour", T0 - HOUR, T0 + HOUR, ingest.table)
    totals = stored.where(ingest.table.has("energy_total", stored.series))
    assert dict(zip(totals.series.tolist(), totals.n.tolist(), strict=True)) == {
        ingest.table.id_of(Series("aba", "m0", "energy_total")): 29,
        ingest.table.id_of(Series("aba", "m1", "energy_total")): 22,
    }
