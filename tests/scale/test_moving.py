"""A city moves from its ingest to the engine and back, without a changed bit and without a value derived twice."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")

from adapters.kafka.topics import Entry
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.city import City
from scale.archive import Archive, LogLink
from scale.job import CityJob
from scale.moving import moved
from scale.records import city_file, decoded, tick
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.windows import MINUTE
from telemetry.wire import decode
from tests.kpi_derivation.engine.cities import NOW, feed_by_days
from tests.scale.job_feed import JobFeed, file_record
from tests.scale.test_job import plausible

SEEDS = range(40 if os.environ.get("CITYVITALS_LONG") else 4)


class Topic:
    """The log as a consumer reads it; what is not done is given again."""

    def __init__(self, records: Sequence[bytes]) -> None:
        self._records, self._done, self._given = list(records), 0, 0

    def read(self, timeout: float) -> list[Entry]:
        self._given = min(self._done + 3, len(self._records))
        return [Entry(b"", record) for record in self._records[self._done : self._given]]

    def done(self) -> None:
        self._done = self._given

    @property
    def is_read(self) -> bool:
        return self._done == len(self._records)


class Embedded:
    """The ingest of one city on a store: windows and ticks of the log, as the service works on them."""

    def __init__(self, path: Path, city: City) -> None:
        self.store, self.city = SqliteStore(path), city
        self._ingest = Ingest(self.store)
        self.served = self._ingest.add_city(city, MINUTE)

    def take(self, records: Sequence[bytes]) -> None:
        for record in map(decoded, records):
            if record.kind == "windows":
                self._ingest.take(self.city.id, decode(record.payload, self._ingest.table)[2].latest())
            elif record.kind == "tick":
                self.served.derive(record.time)

    def values(self) -> list[StoredKpi]:
        return sorted(self.store.kpis(KpiQuery(self.city.id)), key=lambda v: v.kpi.identity)


def log_of(folder: Path, city: City, readings: Any, seed: int) -> list[bytes]:
    """Windows with a tick after each message; without the city file at the beginning."""
    feed = JobFeed(folder, city)
    feed_by_days(feed, readings, random.Random(seed))
    windows = [record for record in feed.log if decoded(record).kind == "windows"]
    return [r for i, w in enumerate(windows) for r in (w, tick(city.id, NOW + i).encoded())]


@pytest.mark.parametrize("seed", SEEDS)
def test_there_and_back_changes_nothing(seed: int, tmp_path: Path) -> None:
    made = plausible(seed)
    city = made.city
    log = log_of(tmp_path / "feed", city, made.readings, seed)
    a, b = (len(log) // 6 * 2, len(log) // 6 * 4) if len(log) > 6 else (2, len(log))
    stayed = Embedded(tmp_path / "stayed.db", city)
    stayed.take(log)

    before = Embedded(tmp_path / "moves.db", city)
    before.take(log[:a])
    job = CityJob(city.id, {"left/from/before": b"x"})
    there = [r.encoded() for r in moved(before.store, city.id, {}, NOW)] * 2  # broken off and repeated
    for record in [*there, file_record(city), tick(city.id, NOW + a // 2 - 1).encoded()]:
        output = job.take(record)
        assert (output.values, output.rejected) == ([], []), "what was derived before is derived as it was"
    before.store.close()

    store = SqliteStore(tmp_path / "moves.db")
    for record in log[a:b]:
        store.put_kpis(job.take(record).values)
    topic = Topic(log[a:b])
    archived = Ingest(store)
    archived.add_city(city, MINUTE)
    link: Any = LogLink(topic, {city.id})
    archive = Archive(archived, link, Rejects.open(tmp_path / "archive.db"), lambda: NOW, publish=False)
    rounds = iter(range(len(log)))
    archive.run(lambda: next(rounds, None) is None)
    assert topic.is_read
    store.close()

    after = Embedded(tmp_path / "moves.db", city)
    after.served.touch_everything()
    assert after.served.derive(NOW + b // 2 - 1) == [], "what the engine has derived is derived as it was"
    after.take(log[b:])
    assert after.values() == stayed.values()
    assert len(after.values()) > 10


def test_a_move_replaces_what_the_engine_has_and_takes_none_of_it_later(tmp_path: Path) -> None:
    made = plausible(1)
    log = log_of(tmp_path / "feed", made.city, made.readings, 1)
    source = Embedded(tmp_path / "store.db", made.city)
    source.take(log)
    state: dict[str, bytes] = {}
    job = CityJob(made.city.id, state)
    records = [r.encoded() for r in moved(source.store, made.city.id, {"a": "gw-7"}, NOW)]
    for record in [file_record(made.city), *log[:2], *records, file_record(made.city)]:
        assert job.take(record).rejected == []
    assert state["owner/a"] == b"gw-7"
    kept = dict(state)
    [rejection] = job.take(records[1]).rejected
    assert "on the engine already" in rejection.reason
    assert state == kept
    broken = records[1].replace(b"moved-hours", b"moved-values", 1)
    fresh = CityJob(made.city.id, {})
    assert "not what an ingest has left" in fresh.take(broken).rejected[0].reason


def test_an_archive_keeps_what_the_store_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plausible(2)
    log = log_of(tmp_path / "feed", made.city, made.readings, 2)
    store, topic = (
        SqliteStore(tmp_path / "store.db"),
        Topic([b"no record", city_file("other", b"{}", NOW).encoded(), *log]),
    )
    ingest = Ingest(store)
    served = ingest.add_city(made.city, MINUTE)
    link: Any = LogLink(topic, {made.city.id})
    clock = [NOW]
    archive = Archive(ingest, link, Rejects.open(tmp_path / "archive.db"), lambda: clock[0], publish=False)
    failing = [True]
    inner = served.take

    def take(windows: Any) -> None:
        if failing[0]:
            from telemetry.errors import Unavailable

            raise Unavailable("away")
        inner(windows)

    monkeypatch.setattr(served, "take", take)
    archive.step(0)
    assert not topic._done, "nothing is done that is not stored"
    failing[0] = False
    for _ in range(len(log)):
        clock[0] += 60_000
        archive.step(0)
    assert topic.is_read
    stayed = Embedded(tmp_path / "stayed.db", made.city)
    stayed.take(log)
    assert store.span(made.city.id, "window") == stayed.store.span(made.city.id, "window")
    assert store.span(made.city.id, "hour") == stayed.store.span(made.city.id, "hour")
    assert store.kpis(KpiQuery(made.city.id)) == []
