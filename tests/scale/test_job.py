"""The job gives the bits of the embedded engine, in any order, twice, with workers that are killed at any record."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scale.job import CityJob, Output
from scale.records import Record, decoded, tick
from scale.state import State, StateStore
from telemetry.errors import Rejected
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from tests.ingest.samples import NOW, T0, city, windows
from tests.kpi_derivation.engine.cities import Feed, Synthetic, feed_by_days, feed_in_pieces, synthetic
from tests.scale.job_feed import JobFeed, file_record

CITIES = range(100 if os.environ.get("CITYVITALS_LONG") else 6)


def plain(values: dict[tuple[str, str, str], KpiValue]) -> dict[tuple[str, str, str], KpiValue]:
    """Without the revision, which counts the moments at which values were derived."""
    return {key: msgspec.structs.replace(value, revision=1) for key, value in values.items()}


def plausible(seed: int) -> Synthetic:
    """Without negative values, which a message with them is refused for."""
    made = synthetic(seed)
    return made._replace(readings=[r._replace(value=abs(r.value)) for r in made.readings])


def embedded(tmp_path: Path, seed: int) -> dict[tuple[str, str, str], KpiValue]:
    made = plausible(seed)
    feed = Feed(tmp_path / "embedded", made.city)
    feed.give(made.readings)
    feed.derive()
    return feed.values()


@pytest.mark.parametrize("seed", CITIES)
def test_the_job_gives_the_bits_of_the_embedded_engine_in_every_order(seed: int, tmp_path: Path) -> None:
    wanted = embedded(tmp_path, seed)
    assert any(value.value is not None for value in wanted.values())
    made = plausible(seed)
    for way in (feed_in_pieces, feed_by_days):
        feed = JobFeed(tmp_path / way.__name__, made.city)
        way(feed, made.readings, random.Random(seed))
        assert plain(feed.values()) == plain(wanted)


@pytest.mark.parametrize("seed", list(CITIES)[:3])
def test_a_log_read_again_from_any_checkpoint_gives_the_same_values(seed: int, tmp_path: Path) -> None:
    made = plausible(seed)
    feed = JobFeed(tmp_path, made.city)
    feed_by_days(feed, made.readings, random.Random(seed))
    dice = random.Random(seed)
    state: State = {}
    checkpoint, at, read = dict(state), 0, 0
    topic: dict[tuple[str, str, str, str, int], StoredKpi] = {}
    job = CityJob(made.city.id, state)
    kills = 4
    while read < len(feed.log):
        for value in job.take(feed.log[read]).values:
            topic[value.kpi.identity] = value
        read += 1
        if dice.random() < 0.3:
            checkpoint, at = dict(state), read
        if kills and dice.random() < 0.4:  # the worker is killed: state and place of the last checkpoint
            kills -= 1
            state, read = dict(checkpoint), at
            job = CityJob(made.city.id, state)
    assert plain({(v.kpi.code, v.kpi.part, f"{v.kpi.kind} {v.kpi.period}"): v.kpi for v in topic.values()}) == plain(
        {(v.kpi.code, v.kpi.part, f"{v.kpi.kind} {v.kpi.period}"): v.kpi for v in feed.found.values()}
    )


# City 47: a late reading shows that a later day's meter is another; days without a reading have a register's share.
@pytest.mark.parametrize("seed", [47, *list(CITIES)[:1], *list(CITIES)[6:]])
def test_a_restart_before_any_record_changes_nothing_that_is_written(seed: int, tmp_path: Path) -> None:
    made = plausible(seed)
    feed = JobFeed(tmp_path, made.city)
    way = feed_by_days if seed % 2 else feed_in_pieces
    way(feed, made.readings, random.Random(seed))

    def written(restart: int) -> list[list[StoredKpi]]:
        state: State = {}
        job, found = CityJob(made.city.id, state), []
        for number, record in enumerate(feed.log):
            job = CityJob(made.city.id, state) if number == restart else job
            found.append(job.take(record).values)
        return found

    wanted = written(-1)
    assert any(wanted)
    for restart in range(1, len(feed.log)):
        assert written(restart) == wanted, f"a restart before record {restart} of {len(feed.log)}"


def started(state: State) -> CityJob:
    job = CityJob("aba", state)
    assert job.take(file_record(city())).rejected == []
    return job


def message(*minutes: int, number: int = 0, gateway: str = "gw", kwh: float = 1.0) -> bytes:
    return Record(f"cv/1/aba/{gateway}/windows", NOW, windows(*minutes, number=number, kwh=kwh)).encoded()


def metered(job: CityJob) -> float | None:
    """kWh of the day, by the values of the next tick."""
    found = [v.kpi for v in job.take(tick("aba", NOW).encoded()).values]
    return next((v.value for v in found if v.code == "LOCAL:E:METERED" and v.kind == "day"), None)


def test_a_message_that_a_newer_one_has_overtaken_changes_nothing() -> None:
    job = started({})
    job.take(message(0, number=2, kwh=5.0))
    job.take(message(0, number=1, kwh=1.0))
    assert metered(job) == 5.0


def test_windows_before_the_city_file_count_when_it_comes() -> None:
    state: State = {}
    early = CityJob("aba", state)
    assert early.take(message(0, 1)) == Output([], [])
    assert early.take(tick("aba", NOW).encoded()) == Output([], [])
    assert metered(started(state)) == 2.0


def test_values_of_windows_that_no_tick_has_followed_come_with_the_next_worker() -> None:
    state: State = {}
    started(state).take(message(0, 1, 2))
    assert metered(CityJob("aba", state)) == 3.0


def test_a_changed_city_file_changes_the_values_of_the_past() -> None:
    job = started({})
    job.take(message(0))
    assert metered(job) == 1.0
    job.take(file_record(city(population=1000)))
    codes = {v.kpi.code for v in job.take(tick("aba", NOW).encoded()).values if v.kpi.value is not None}
    assert "EN:E:E:2C" in codes
    assert "LOCAL:E:METERED" not in codes


def test_a_city_file_counts_though_the_worker_ends_before_the_next_tick() -> None:
    def values(restart: bool) -> list[StoredKpi]:
        state: State = {}
        job = started(state)
        job.take(message(0))
        job.take(tick("aba", NOW).encoded())
        job.take(file_record(city(population=1000)))
        job = CityJob("aba", state) if restart else job
        return job.take(tick("aba", NOW).encoded()).values

    assert values(restart=True) == values(restart=False) != []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "no line with address"),
        (b"cv/1/aba/gw/windows 1\n{}", "not a windows message"),
        (b"cv/1/aba/gw/other 1\n{}", "kind 'other'"),
        (b"elsewhere 1\n{}", "not the address"),
        (b"cv/1/aba/file 1\n{}", "not a city file"),
        (tick("abb", 1).encoded(), "a record of abb"),
        (Record("cv/1/abb/gw/windows", NOW, windows(0)).encoded(), "a record of abb"),
        (Record("cv/1/aba/gw/windows", NOW, windows(0, name="abb")).encoded(), "on the topic of another"),
        (Record("cv/1/aba/gw/windows", NOW, windows(0, width=900_000)).encoded(), "windows of 900 s"),
        (Record("cv/1/aba/gw/windows", T0 - 400 * 86_400_000, windows(0)).encoded(), "clock is wrong"),
    ],
)
def test_a_record_that_cannot_be_used_is_handed_back_with_its_reason(record: bytes, reason: str) -> None:
    job = started({})
    output = job.take(record)
    assert output.values == []
    assert [(item.record, reason in item.reason) for item in output.rejected] == [(record, True)], output
    assert metered(job) is None


def test_a_device_belongs_to_the_gateway_that_sent_it_first() -> None:
    state: State = {}
    job = started(state)
    job.take(message(0))
    foreign = message(1, gateway="other")
    assert "sent by gateway 'gw'" in CityJob("aba", state).take(foreign).rejected[0].reason
    assert metered(CityJob("aba", state)) == 1.0


class Counted(dict[str, bytes]):
    """A state that counts reads of owners: on an engine each may be a call to another process."""

    asked = 0

    def _count(self, key: object) -> None:
        self.asked += str(key).startswith("owner/")

    def __getitem__(self, key: str) -> bytes:
        self._count(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:  # as a dict has it
        self._count(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._count(key)
        return super().__contains__(key)


def test_the_state_is_not_asked_for_the_owner_of_each_device_of_each_message() -> None:
    state = Counted()
    job = CityJob("aba", state)
    for minute in range(3):
        assert not job.take(Record("cv/1/aba/gw/windows", NOW, windows(minute)).encoded()).rejected
    assert state.asked == 0
    assert state["owner/m1"] == b"gw"
    state.asked = 0
    assert not CityJob("aba", state).take(Record("cv/1/aba/gw/windows", NOW, windows(4)).encoded()).rejected
    assert state.asked == 1  # once, when the job was made


def test_a_record_is_read_as_it_was_written() -> None:
    record = Record("cv/1/aba/gw/windows", T0, b'{"a":\n1}')
    assert decoded(record.encoded()) == record
    with pytest.raises(Rejected):
        decoded(b"cv/1/aba/gw/windows\n{}")


def test_the_state_names_its_series_over_many_blocks() -> None:
    state: State = {}
    job = CityJob("aba", state)
    for first in range(0, 1500, 300):
        devices = [windows(0, device=f"m{n}") for n in range(first, first + 300)]
        for payload in devices:
            assert job.take(Record("cv/1/aba/gw/windows", NOW, payload).encoded()).rejected == []
        job = CityJob("aba", state)
    job.take(tick("aba", NOW).encoded())
    again = StateStore(state, "aba")
    assert [s.device for s in again.table.all] == [f"m{n}" for n in range(1500)]
    rows = list(again.partials("aba", "window", T0, T0 + 1, again.table))
    assert [len(part) for part in rows] == [1500]
    assert again.kpis(KpiQuery("aba")) == []
