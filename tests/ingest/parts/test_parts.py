"""What takes several rounds goes on although nothing arrives, and what is live does not wait for all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from ingest.service import _LONGEST_WAIT, _PART_WAIT, Service
from registry.city import City
from telemetry.errors import CityVitalsError
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from telemetry.wire import encode
from tests.ingest.samples import NoNetwork

MIDNIGHT = 1_709_251_200_000  # 2024-03-01T00:00Z
STATIONS = 6
CITY = City.model_validate(
    {
        "city": {"id": "aba", "name": "Aba", "country": "GB", "timezone": "UTC", "population": 100},
        "device": [{"id": f"m{n}", "kind": "air_reference", "quantities": ["no2"]} for n in range(STATIONS)],
    }
)


def message(t: int, value: float, devices: range = range(STATIONS)) -> bytes:
    """A reading of each device."""
    table = SeriesTable([Series("aba", f"m{n}", "no2") for n in devices])
    readings = Readings.of(range(len(devices)), [t] * len(devices), [value] * len(devices))
    return encode("aba", MINUTE, fold(readings, MINUTE, table.modulus(readings.series)), table, 0)


class Town:
    """An ingest whose rows of the open hour wait. `rounds`: rows of hours that were stored at the start and in each."""

    def __init__(self, folder: Path, start: int, keep_ms: int | None = None) -> None:
        self.now, self.rounds = start, [0]
        self.store, self.link = SqliteStore(folder / "store.db"), NoNetwork([])
        put, link = self.store.put_partials, self.link

        def counted(level: Any, partials: Partials, table: Any) -> None:
            self.rounds[-1] += len(partials) if level == "hour" else 0
            put(level, partials, table)

        self.store.put_partials = counted  # type: ignore[method-assign]
        ingest = Ingest(self.store, 30 * MINUTE)
        ingest.add_city(CITY, MINUTE)
        uplink: Any = link
        rejects = Rejects.open(folder / "rejects.db")
        self.service = Service(ingest, uplink, rejects, lambda: self.now, keep_ms=keep_ms)

    def round(self, *batch: bytes) -> None:
        self.link.batches += [list(batch)] if batch else []
        self.rounds.append(0)
        self.service.step()

    def means(self, hour: int) -> list[float]:
        """Of the rows that are stored of the hour that starts at this time."""
        read = self.store.partials("aba", "hour", hour, hour + 1, SeriesTable())
        return [float(mean) for part in read for mean in part.mean]


@pytest.fixture(autouse=True)
def _one_row_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.open_hours._PART", 1)


def over(folder: Path, start: int, then: int) -> Town:
    """A town whose hour before `start` is over at `then`; the rows of all but one series wait."""
    town = Town(folder, start)
    for minute in (3, 2, 1):
        town.now = start - minute * MINUTE
        town.round(message(town.now, float(minute)))
    town.now = then
    town.round(message(then, 9.0, range(1)))
    return town


def test_rows_of_an_hour_that_is_over_do_not_wait_for_messages(tmp_path: Path) -> None:
    start = MIDNIGHT + 12 * HOUR
    town = over(tmp_path, start, start + MINUTE)
    rounds = 0
    while town.service.ingest.has_parts:
        town.round()
        rounds += 1
        assert town.link.waits[-1] == _PART_WAIT
    assert 0 < rounds < STATIONS
    assert town.means(start - HOUR) == [2.0] * STATIONS
    town.round()
    assert town.link.waits[-1] == _LONGEST_WAIT


def test_a_message_is_stored_before_the_rest_of_an_hour_that_is_over(tmp_path: Path) -> None:
    start = MIDNIGHT + 12 * HOUR
    town = over(tmp_path, start, start + MINUTE)
    town.now += MINUTE
    town.round(message(town.now, 9.0, range(1)))
    assert town.service.ingest.has_parts
    assert len(town.link.acknowledged) == 5


def test_the_checkpoint_of_a_day_does_not_store_all_rows_at_once(tmp_path: Path) -> None:
    """At the end of a day of UTC an hour is over too: its rows are stored in parts."""
    town = over(tmp_path, MIDNIGHT, MIDNIGHT + MINUTE)
    assert town.service._checkpoint_day == MIDNIGHT // DAY
    assert max(town.rounds[4:]) <= 2
    assert town.service.ingest.has_parts


@pytest.mark.parametrize("passed", [0, 1, 3])
def test_a_checkpoint_is_right_although_rows_of_its_hours_wait(
    passed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed behind it, and after some rounds."""
    town = over(tmp_path, MIDNIGHT, MIDNIGHT + MINUTE)
    for _ in range(passed):
        town.round()
    town.store.close()
    again = Town(tmp_path, MIDNIGHT)
    assert again.service.ingest.cities["aba"].continued
    again.now = MIDNIGHT + 2 * MINUTE
    again.round()
    while again.service.ingest.has_parts:
        again.round()
    assert again.means(MIDNIGHT - HOUR) == [2.0] * STATIONS
    values = {v.kpi.identity: v.kpi.value for v in again.service.ingest.cities["aba"].newest()}
    monkeypatch.setattr(again.store, "states", None)
    made = Ingest(again.store).add_city(CITY, MINUTE)
    made.touch_everything()
    assert [v.kpi.identity for v in made.derive(again.now) if v.kpi.value != values.get(v.kpi.identity)] == []


def test_rows_of_an_hour_are_those_of_its_last_windows_although_days_pass(tmp_path: Path) -> None:
    """A store that was away, or a machine that was suspended: the next hour is later than what is kept in memory."""
    start = MIDNIGHT + 12 * HOUR
    town = over(tmp_path, start, start + 5 * DAY)
    while town.service.ingest.has_parts:
        town.round()
    assert town.means(start - HOUR) == [2.0] * STATIONS


def test_old_windows_are_deleted_piece_after_piece_although_nothing_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.retention._PIECE", 1)
    town = Town(tmp_path, MIDNIGHT, keep_ms=2 * DAY)
    old, town.now = MIDNIGHT - 9 * DAY, MIDNIGHT
    town.round(message(old, 1.0), message(old + 2 * DAY, 1.0), message(MIDNIGHT - MINUTE, 1.0))
    town.now += HOUR
    town.round()
    rounds = 0
    while town.link.waits[-1] != _LONGEST_WAIT or rounds == 0:
        town.round()
        rounds += 1
        assert rounds < 100
    left = [part.start for part in town.store.partials("aba", "window", 0, 1 << 52, SeriesTable())]
    assert int(np.concatenate(left).min()) == MIDNIGHT - MINUTE


def test_a_store_that_does_not_accept_a_checkpoint_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(tmp_path, MIDNIGHT)
    tried = list[int]()

    def rejects(_self: object, city: str, *_: object) -> None:
        tried.append(town.now)
        raise CityVitalsError(f"too large: {city}")

    monkeypatch.setattr(type(town.store.states), "put", rejects)
    for number in range(25):
        town.round(message(town.now, 1.0 + number))
        town.now += MINUTE
    assert len(town.link.acknowledged) == 25
    assert town.link.dropped == 0
    assert tried == [MIDNIGHT, MIDNIGHT + 10 * MINUTE, MIDNIGHT + 20 * MINUTE]
