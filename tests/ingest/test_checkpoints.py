"""A start from a checkpoint gives the bits of a start from the history; one that does not fit is passed over."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import program
from adapters.influx.store import InfluxStore
from adapters.store import CityRecord, Store
from adapters.stores import open_store
from ingest import checkpoints
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.partials import Partials
from telemetry.series import SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.engine.cities import NOW, Feed, Synthetic, synthetic
from tests.postgres import PostgreSQL
from tests.servers import InfluxDB

SEEDS = range(60 if os.environ.get("CITYVITALS_LONG") else 3)


def in_pieces(feed: Feed, made: Synthetic, dice: random.Random, *, keep: bool) -> list[bool]:
    """Give the readings in random pieces; restart at random, with a checkpoint or (`keep` false) never with one.

    Returns of each restart whether it took one.
    """
    rest, took = dice.sample(made.readings, len(made.readings)), list[bool]()
    while rest:
        size = dice.choice([1, len(rest) // 4 + 1, len(rest) // 2 + 1])
        piece, rest = rest[:size], rest[size:]
        feed.give(piece, twice=dice.random() < 0.3)
        if dice.random() < 0.7:
            feed.derive()
        chosen = dice.random() < 0.6, dice.random() < 0.4, dice.random() < 0.6
        if chosen[0]:
            feed.derive()
            if keep:
                feed.checkpoint()
        if chosen[1] and rest:  # after the checkpoint: what comes now is in the hours only
            feed.give(rest[:1])
            feed.derive()
        if chosen[2]:
            feed.derive()
            feed.restart()
            took.append(feed.continued)
    feed.derive()
    return took


def assert_equal_over_a_checkpoint(kept: Feed, plain: Feed) -> None:
    """Equal values now, and when all are derived again from the checkpoint."""
    assert kept.values() == plain.values()
    kept.checkpoint()
    kept.restart()
    assert kept.continued
    kept.touch_everything()
    kept.derive()
    assert kept.values() == plain.values()


@pytest.mark.parametrize("seed", SEEDS)
def test_random_feeds_and_restarts_give_the_same_bits_with_and_without_checkpoints(seed: int, tmp_path: Path) -> None:
    made = synthetic(seed)
    kept, plain = Feed(tmp_path / "kept", made.city), Feed(tmp_path / "plain", made.city)
    in_pieces(kept, made, random.Random(seed), keep=True)
    assert not any(in_pieces(plain, made, random.Random(seed), keep=False))
    assert_equal_over_a_checkpoint(kept, plain)


class PostgresFeed(Feed):
    """The same on PostgreSQL."""

    def __init__(self, folder: Path, city: City, url: str) -> None:
        self._url = url
        super().__init__(folder, city)

    def _opened(self) -> Store:
        return open_store(self._url)


def test_on_postgresql_too(tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVITALS__STORE__USERNAME", postgresql.user)
    url = f"postgresql://{postgresql.host}:{postgresql.port}/{postgresql.create(f'checkpoints-{os.getpid()}')}"
    made = synthetic(3)
    (tmp_path / "kept").mkdir()
    kept, plain = PostgresFeed(tmp_path / "kept", made.city, url), Feed(tmp_path, made.city)
    in_pieces(kept, made, random.Random(3), keep=True)
    in_pieces(plain, made, random.Random(3), keep=False)
    assert_equal_over_a_checkpoint(kept, plain)


class InfluxFeed(PostgresFeed):
    """The same on InfluxDB."""


@pytest.fixture
def influx(influxdb: InfluxDB) -> Iterator[str]:
    """The URL of an empty database."""
    name = influxdb.create(f"checkpoints-{os.getpid()}")
    yield f"influxdb://{influxdb.host}:{influxdb.port}/{name}"
    influxdb.query(f'DROP DATABASE "{name}"')


@pytest.mark.parametrize("seed", SEEDS[-1:] if len(SEEDS) < 10 else SEEDS)
def test_on_influxdb_too(tmp_path: Path, influx: str, seed: int) -> None:
    made = synthetic(seed)
    (tmp_path / "kept").mkdir()
    kept, plain = InfluxFeed(tmp_path / "kept", made.city, influx), Feed(tmp_path, made.city)
    in_pieces(kept, made, random.Random(seed), keep=True)
    in_pieces(plain, made, random.Random(seed), keep=False)
    assert_equal_over_a_checkpoint(kept, plain)


def test_a_kill_between_note_and_hours_folds_the_day_when_the_hours_have_come(
    tmp_path: Path, influx: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = synthetic(3)
    (tmp_path / "kept").mkdir()
    feed, plain = InfluxFeed(tmp_path / "kept", made.city, influx), Feed(tmp_path, made.city)
    half = len(made.readings) // 2
    for one in (feed, plain):
        one.give(made.readings[:half])
        one.derive()
    assert feed.checkpoint()
    with monkeypatch.context() as failing:
        failing.setattr(InfluxStore, "_write", notes_only)
        with pytest.raises(Unavailable):
            feed.give(made.readings[half:])
    feed.restart()
    assert feed.continued
    for one in (feed, plain):
        one.give(made.readings[half:])
        one.derive()
    assert_equal_over_a_checkpoint(feed, plain)


def notes_only(store: InfluxStore, notes: list[str], bodies: Iterator[bytes], count: int) -> None:
    """A write that ends behind the notes of hours."""
    if not notes:
        store._connection.write(b"\n".join(bodies))
        return
    store._connection.write("\n".join(notes))
    raise Unavailable("a kill")


def test_hours_that_others_write_again_are_folded_again(tmp_path: Path, influx: str) -> None:
    """As a replay of the same time does."""
    made = synthetic(5)
    feed = InfluxFeed(tmp_path, made.city, influx)
    feed.give(made.readings)
    feed.derive()
    other, table = open_store(influx), SeriesTable()
    assert feed.checkpoint()
    before = feed.values()
    for hours in list(other.partials(made.city.id, "hour", 0, NOW, table)):
        other.put_partials("hour", replace(hours, sum=2 * hours.sum, increase=2 * hours.increase), table)
    feed.checkpoint()  # of a process that has not read them
    feed.restart()
    assert feed.continued
    feed.touch_everything()
    feed.derive()
    after = feed.values()
    assert after != before
    feed.store.states.drop(made.city.id)  # type: ignore[union-attr]
    feed.restart()
    assert not feed.continued
    feed.touch_everything()
    feed.derive()
    assert feed.values() == after


def test_a_database_that_was_lost_starts_from_what_it_has(tmp_path: Path, influx: str, influxdb: InfluxDB) -> None:
    made = synthetic(5)
    (tmp_path / "kept").mkdir()
    feed, plain = InfluxFeed(tmp_path / "kept", made.city, influx), Feed(tmp_path, made.city)
    late = max(reading.t for reading in made.readings) - 8 * HOUR
    feed.give([reading for reading in made.readings if reading.t < late])
    feed.derive()
    assert feed.checkpoint()
    influxdb.query(f'DROP DATABASE "{influx.rpartition("/")[2]}"')
    for _ in range(3):
        with suppress(Unavailable):  # it is recreated by the next request
            feed.store.put_city(CityRecord(made.city.id, made.city.model_dump(mode="json"), MINUTE))
    rest = [reading for reading in made.readings if reading.t >= late]
    feed.give(rest)
    feed.checkpoint()  # of a process that still has the days that were lost
    plain.give(rest)
    for one in (feed, plain):
        one.restart()
        assert not one.continued
        one.touch_everything()
        one.derive()
    assert rest
    assert feed.values() == plain.values()


@pytest.mark.parametrize("kind", ["earlier", "later"])
def test_hours_of_a_program_that_does_not_number_them_pass_it_over(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = synthetic(5)
    feed = Feed(tmp_path, made.city)
    feed.give(made.readings)
    feed.derive()
    assert feed.checkpoint()
    table = SeriesTable()
    hours = Partials.concat(list(feed.store.partials(made.city.id, "hour", 0, NOW, table)))
    with sqlite3.connect(feed.path) as db:
        noted = db.execute("SELECT * FROM hours_written").fetchall()
    shift = (30 if kind == "later" else -30) * DAY
    moved = replace(hours, start=hours.start + shift, first_t=hours.first_t + shift, last_t=hours.last_t + shift)
    feed.store.put_partials("hour", moved, table)
    with sqlite3.connect(feed.path) as db:
        db.execute("DELETE FROM hours_written")
        db.executemany("INSERT INTO hours_written VALUES (?,?,?)", noted)
    assert "not those of the checkpoint" in started_again(feed, caplog)


def started_again(feed: Feed, caplog: pytest.LogCaptureFixture) -> str:
    """The sentences of a start that passes the checkpoint over."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        feed.restart()
    assert not feed.continued
    return " ".join(record.getMessage() for record in caplog.records)


@pytest.fixture
def fed(tmp_path: Path) -> Feed:
    made = synthetic(5)
    feed = Feed(tmp_path, made.city)
    feed.give(made.readings)
    feed.derive()
    assert feed.checkpoint()
    assert not feed.checkpoint(), "nothing has changed since"
    return feed


def test_a_damaged_part_is_passed_over(fed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    before = fed.values()
    with sqlite3.connect(fed.path) as db:
        db.execute("UPDATE state_part SET data = CAST(data || x'00' AS BLOB) WHERE name LIKE 'main/sum/%'")
    assert "is damaged and passed over: part main/sum/" in started_again(fed, caplog)
    fed.touch_everything()
    fed.derive()
    assert fed.values() == before


def test_a_missing_part_and_a_head_that_is_no_head_are_passed_over(fed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    with sqlite3.connect(fed.path) as db:
        db.execute("DELETE FROM state_part WHERE name LIKE 'main/n/%'")
    assert "damaged" in started_again(fed, caplog)
    with sqlite3.connect(fed.path) as db:
        db.execute("UPDATE state SET head = x'80'")
    assert "another version" in started_again(fed, caplog)


def test_another_city_file_passes_it_over(fed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    rules = fed.city.rules.model_copy(update={"hour_capture": 0.31})
    fed.city = fed.city.model_copy(update={"rules": rules})
    assert "another program, city file or store" in started_again(fed, caplog)


def test_another_program_passes_it_over(
    fed: Feed, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "digest", lambda *packages: program.digest(*packages) + "x")
    assert "another program" in started_again(fed, caplog)


def test_hours_of_a_store_put_back_from_a_copy_pass_it_over(fed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    with sqlite3.connect(fed.path) as db:
        db.execute("UPDATE hours_written SET number = 0")
    assert "store and passed over" in started_again(fed, caplog)


def test_without_source_there_is_no_checkpoint(fed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "digest", lambda *_: "")
    fed.restart()
    assert not fed.continued
    assert not fed.checkpoint()


def test_what_a_checkpoint_fits_is_found_device_by_device() -> None:
    entry = {"kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 10.0}
    head = {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos"}
    large = City.model_validate({"city": head, "device": [entry | {"id": f"m{n}"} for n in range(3000)]})
    kept = checkpoints.Checkpoints(None, large)  # type: ignore[arg-type]
    kept._fits()  # what is made once
    kept = checkpoints.Checkpoints(None, large)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        found = kept._fits()
        assert tracemalloc.get_traced_memory()[1] < 2e6  # 6 MB of all entries at once
    finally:
        tracemalloc.stop()
    assert found == checkpoints.Checkpoints(None, large.model_copy())._fits()  # type: ignore[arg-type]
    other = large.model_copy(update={"device": large.device[1:]})
    assert found != checkpoints.Checkpoints(None, other)._fits()  # type: ignore[arg-type]
