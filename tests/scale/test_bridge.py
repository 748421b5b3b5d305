"""The bridge: into the log, then receipt and acknowledgement; what Kafka does not take is not acknowledged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")

from adapters.kafka.topics import Entry
from adapters.sqlite.order import Order
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from scale.bridge import Bridge
from scale.job import CityJob
from scale.records import Record, decoded, value_message
from scale.values import Values
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery
from telemetry.windows import HOUR
from tests.ingest.samples import METERED, NOW, NoNetwork, city, windows


class MemoryLog:
    """A log in memory; `away`: how many calls it refuses."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.away = 0

    def append(self, entries: Sequence[Entry]) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        self.entries += entries

    @property
    def records(self) -> list[Record]:
        return [decoded(entry.value) for entry in self.entries]


class Bench:
    """A bridge between a link without a network and a log in memory; the clock is in the test's hand."""

    def __init__(self, folder: Path, *batches: list[bytes]) -> None:
        self.now, self.log, self.link = NOW, MemoryLog(), NoNetwork(list(batches))
        self.folder = folder
        self.restart()

    def restart(self) -> None:
        link: Any = self.link
        order = Order(Rejects.open(self.folder / "rejects.db").db)
        self.bridge = Bridge(link, self.log, order, [city()], lambda: self.now)
        self.bridge.start()

    def receipts(self) -> list[list[int]]:
        return [json.loads(payload) for topic, payload, _ in self.link.published if topic == "cv/1/aba/gw/stored"]

    def kinds(self) -> list[str]:
        return [record.kind for record in self.log.records]


def test_windows_are_in_the_log_before_they_are_acknowledged(tmp_path: Path) -> None:
    message = windows(0, 1, number=7)
    bench = Bench(tmp_path, [message])
    bench.now += 20_000
    bench.bridge.step(0)
    assert bench.kinds() == ["file", "tick", "windows", "tick"]
    assert bench.log.records[2] == Record("cv/1/aba/gw/windows", NOW + 20_000, message)
    assert {entry.key for entry in bench.log.entries} == {b"aba"}
    assert (bench.receipts(), bench.link.acknowledged) == ([[7]], [message])


def test_nothing_is_acknowledged_while_kafka_is_away(tmp_path: Path) -> None:
    message = windows(0, number=7)
    bench = Bench(tmp_path, [message], [message])
    bench.log.away = 1
    bench.bridge.step(0)
    assert (bench.receipts(), bench.link.acknowledged, bench.link.dropped) == ([], [], 1)
    bench.bridge.step(0)
    assert (bench.receipts(), bench.link.acknowledged) == ([[7]], [message])


def test_an_overtaken_message_stays_out_of_the_log_also_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, kwh=5.0, number=9)], [windows(0, kwh=1.0, number=8)])
    bench.bridge.step(0)
    bench.restart()
    bench.bridge.step(0)
    assert bench.kinds().count("windows") == 1
    assert bench.receipts() == [[9], [9]]
    assert len(bench.link.acknowledged) == 2


def test_ticks_follow_new_windows_and_the_hours(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, number=1)], [windows(1, number=2)])
    bench.bridge.step(0)  # at once after the tick of the start: too early for another
    bench.now += 9_999
    bench.bridge.step(0)
    assert bench.kinds() == ["file", "tick", "windows", "windows"]
    bench.now += 1
    bench.bridge.step(0)
    bench.bridge.step(0)
    assert bench.kinds()[4:] == ["tick"]
    bench.now += HOUR
    bench.bridge.step(0)
    assert bench.kinds()[4:] == ["tick", "tick"]


def test_a_tick_that_kafka_did_not_take_comes_with_the_next_round(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, number=1)])
    bench.bridge.step(0)
    bench.now += 10_000
    bench.log.away = 1
    bench.bridge.step(0)
    assert bench.kinds().count("tick") == 1
    bench.bridge.step(0)
    assert bench.kinds().count("tick") == 2


def test_a_message_of_no_city_is_not_in_the_log_but_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, [windows(0, number=1)])
    monkeypatch.setattr(bench.link, "_topic", lambda _: "cv/1/a city/gw/windows")
    bench.bridge.step(0)
    assert bench.kinds() == ["file", "tick"]
    assert len(bench.link.acknowledged) == 1


class MemoryTopic:
    """A topic in memory, which gives again what was not marked as done."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries, self.at, self.marked = entries, 0, 0

    def read(self, timeout: float) -> list[Entry]:
        found, self.at = self.entries[self.at :], len(self.entries)
        return found

    def done(self) -> None:
        self.marked = self.at


def test_the_values_of_the_log_are_in_the_store_before_they_are_marked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1, 2, number=1)])
    bench.now += 20_000
    bench.bridge.step(0)
    job = CityJob("aba", {})
    entries = [Entry(*value_message(v)) for e in bench.log.entries for v in job.take(e.value).values]
    topic, store, pauses = MemoryTopic([Entry(b"x", b"{}"), *entries]), SqliteStore(tmp_path / "store.db"), list[int]()
    values = Values(topic, store, lambda: pauses.append(topic.marked))
    put, store.put_kpis = store.put_kpis, _away  # type: ignore[method-assign]
    values.step(0)
    assert (pauses, topic.marked) == ([0], 0)
    store.put_kpis = put  # type: ignore[method-assign]
    values.step(0)
    assert topic.marked == len(entries) + 1
    found = store.kpis(KpiQuery("aba", kinds=["day"], codes=[METERED]))
    assert [v.kpi.value for v in found] == [3.0]


def _away(values: object) -> None:
    raise Unavailable("away")
