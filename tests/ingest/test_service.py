"""Store, derive, then acknowledge; what cannot be used is kept; what cannot be stored is not acknowledged."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from adapters.store import Heartbeat
from ingest.core import Ingest
from ingest.service import Service
from telemetry.errors import Unavailable, UsageError
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.series import SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.ingest.samples import METERED, NOW, T0, NoNetwork, city, windows


class Bench:
    """An ingest on a SQLite store, its clock in the test's hand."""

    def __init__(self, folder: Path, *batches: list[bytes], serve: bool = True) -> None:
        self.path, self.now = folder / "store.db", NOW
        self.store = SqliteStore(self.path)
        self.store._db.execute("PRAGMA busy_timeout=0")
        self.rejects = Rejects.open(folder / "rejects.db")
        self.link = NoNetwork(list(batches))
        ingest = Ingest(self.store)
        if serve:
            ingest.add_city(city(), MINUTE)
        link: Any = self.link
        self.service = Service(ingest, link, self.rejects, lambda: self.now)

    def steps(self, count: int = 1) -> None:
        for _ in range(count):
            self.service.step(0)

    def metered(self, kind: Any = "day") -> float | None:
        found = self.store.kpis(KpiQuery("aba", kinds=[kind], codes=[METERED]))
        return found[0].kpi.value if found else None

    def held(self, name: str = "aba") -> int:
        return sum(int(p.n.sum()) for p in self.store.partials(name, "window", 0, NOW, SeriesTable()))

    def reasons(self) -> list[str]:
        return [r.reason for r in self.rejects.newest()]


def test_windows_are_stored_derived_and_acknowledged(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1, 2), windows(0, device="m2")])
    bench.steps()
    assert (bench.held(), bench.metered(), len(bench.link.acknowledged)) == (4, 4.0, 2)


def test_windows_that_the_store_cannot_hold_are_acknowledged_and_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, [windows(3 * 1440)], [windows(0, 1)], [windows(3 * 1440 + 1)])
    put = bench.store.put_partials

    def keeping(level: Any, partials: Any, table: Any) -> None:
        """As InfluxDB with a retention, which sets aside what is older."""
        put(level, partials.take(partials.start >= T0 + DAY), table)

    monkeypatch.setattr(bench.store, "put_partials", keeping)
    bench.steps(3)
    assert (bench.held(), len(bench.link.acknowledged), bench.link.dropped) == (2, 3, 0)


def test_the_same_windows_again_change_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1)], [windows(0, 1), windows(0, 1)], [windows(1)])
    bench.steps(3)
    assert (bench.held(), bench.metered(), len(bench.link.acknowledged)) == (2, 2.0, 4)


def test_a_newer_state_of_a_window_replaces_the_older_in_one_batch_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, kwh=1.0), windows(0, kwh=5.0)])
    bench.steps()
    assert (bench.held(), bench.metered()) == (1, 5.0)


def test_every_message_is_receipted_once_it_is_stored_or_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, number=7), windows(1, number=8, width=HOUR // 4), windows(2)])
    bench.steps()
    receipts = [(topic, json.loads(p)) for topic, p, _ in bench.link.published if topic.endswith("stored")]
    assert receipts == [("cv/1/aba/gw/stored", [7, 8])]


def test_current_values_are_published_retained(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1)])
    bench.now = T0 + 10 * MINUTE
    bench.steps()
    published = {topic: json.loads(p) for topic, p, retain in bench.link.published if retain}
    assert published[f"cv/1/aba/kpi/{METERED}/-"]["day"]["value"] == 2.0


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"hello", "not a windows message"),
        (b"\xff\xfe", "not a windows message"),
        (b"{}", "not a windows message"),
        (windows(0).replace(b'"v":1', b'"v":2'), "version 2"),
        (windows(0).replace(b'"energy_delta"', b'"energy"'), "unknown quantity"),
        (windows(0).replace(b'"sum":[1.0]', b'"sum":[null]'), "without sums"),
        (windows(0, width=5 * MINUTE), "windows of 300 s; aba has windows of 60 s"),
    ],
)
def test_a_bad_message_is_kept_with_its_reason_and_the_rest_is_stored(
    tmp_path: Path, payload: bytes, reason: str
) -> None:
    bench = Bench(tmp_path, [windows(0), payload, windows(1)])
    bench.steps()
    assert (bench.held(), bench.metered(), len(bench.link.acknowledged)) == (2, 2.0, 3)
    assert [r.payload for r in bench.rejects.newest()] == [payload]
    assert reason in bench.reasons()[0]


def test_while_the_store_cannot_write_nothing_is_acknowledged_and_later_everything_is_there(tmp_path: Path) -> None:
    batch = [windows(0, 1), b"bad", windows(2)]
    bench = Bench(tmp_path, batch, [], batch)
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    bench.steps()
    assert (bench.link.acknowledged, bench.link.published, bench.link.dropped) == ([], [], 1)
    bench.steps()  # within the pause nothing is requested
    assert (bench.link.acknowledged, bench.link.dropped) == ([], 1)
    other.rollback()
    bench.now += 60_000
    bench.steps(2)
    assert (bench.held(), bench.metered(), len(bench.link.acknowledged)) == (3, 3.0, 3)
    assert len(bench.reasons()) == 1


def test_a_store_that_fails_between_windows_and_values_is_made_good_by_the_same_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the three writes of a batch: windows, hours, values."""
    for failing in range(3):
        folder = tmp_path / str(failing)
        folder.mkdir()
        bench = Bench(folder, [windows(0, 1, 70)], [windows(0, 1, 70)])
        writes = iter(range(100))

        def refuse(name: str, plain: Any, writes: Any = writes, failing: int = failing) -> Any:
            def write(*given: Any) -> None:
                if next(writes) == failing:
                    raise sqlite_error()
                plain(*given)

            return write

        for name in ("put_partials", "put_kpis"):
            monkeypatch.setattr(bench.store, name, refuse(name, getattr(bench.store, name)))
        bench.steps()
        assert bench.link.acknowledged == []
        bench.now += 60_000
        bench.steps()
        assert (bench.held(), bench.metered(), len(bench.link.acknowledged)) == (3, 3.0, 1)


def test_a_crash_between_windows_and_values_is_made_good_at_the_next_start_without_any_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Bench(tmp_path, [windows(0, 1500)])  # a start looks at the newest day again, not at the first
    first.steps()
    first.now += 60 * DAY
    first.steps()  # now the values are final, and no start looks at them again
    bench = Bench(tmp_path, [windows(1, 2)])
    bench.now = first.now

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.store, "put_kpis", crash)
    with pytest.raises(KeyboardInterrupt):
        bench.steps()
    later = Bench(tmp_path)
    later.now = bench.now
    assert (later.held(), later.metered()) == (4, 1.0)
    stops = iter([False, True])
    later.service.run(lambda: next(stops))
    assert later.metered() == 3.0


def sqlite_error() -> Exception:
    from telemetry.errors import Unavailable

    return Unavailable("The disk is full.")


def test_one_log_line_per_change_of_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, *[[windows(0)] for _ in range(6)])
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(4):
        bench.steps()
        bench.now += 60_000
    other.rollback()
    bench.steps(2)
    assert [r.message.partition(":")[0] for r in caplog.records] == ["nothing is acknowledged", "storing again"]


def test_a_round_without_messages_does_not_say_that_storing_works_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a failure the connection is closed: until the broker redelivers, rounds are empty."""
    bench = Bench(tmp_path, [windows(0)], [], [], [windows(0)])
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    bench.steps()
    for _ in range(2):
        bench.now += 60_000
        bench.steps()
    assert [r.message.partition(":")[0] for r in caplog.records] == ["nothing is acknowledged"]
    other.rollback()
    bench.now += 60_000
    bench.steps()
    assert [r.message.partition(":")[0] for r in caplog.records] == ["nothing is acknowledged", "storing again"]


def test_the_store_is_left_alone_for_the_time_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, [windows(0)], [windows(0)])
    tries: list[int] = []

    def busy(*_: object) -> None:
        tries.append(bench.now)
        error = Unavailable("too many requests")
        error.retry_after_s = 60.0
        raise error

    monkeypatch.setattr(bench.service.ingest, "take", busy)
    bench.steps()
    for _ in range(70):
        bench.now += 1000
        bench.steps()
    assert [t - tries[0] for t in tries] == [0, 60_000]


def test_windows_of_a_city_without_a_file_are_stored_and_derived_once_it_has_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1)], [windows(1, 2)], serve=False)
    bench.steps(2)
    assert (bench.held(), bench.metered()) == (3, None)
    later = Bench(tmp_path, [windows(3)])
    later.steps()
    assert (later.held(), later.metered()) == (4, 4.0)


def test_a_restart_in_the_middle_of_an_hour_keeps_what_was_before_it(tmp_path: Path) -> None:
    Bench(tmp_path, [windows(0, 1)]).steps()
    bench = Bench(tmp_path, [windows(2)], [windows(70)])
    bench.steps(2)
    assert bench.metered() == 4.0


def test_a_store_of_another_width_is_refused_at_the_start(tmp_path: Path) -> None:
    Bench(tmp_path, [windows(0)]).steps()
    with pytest.raises(UsageError, match="count readings twice"):
        Ingest(SqliteStore(tmp_path / "store.db")).add_city(city(), 5 * MINUTE)


def test_a_city_without_a_file_has_the_width_its_first_windows_had(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, name="other")], [windows(5, name="other", width=5 * MINUTE)], serve=False)
    bench.steps(2)
    assert bench.held("other") == 1
    assert "windows of 300 s; other has windows of 60 s" in bench.reasons()[0]


def day(bench: Bench) -> KpiValue:
    return bench.store.kpis(KpiQuery("aba", kinds=["day"], codes=[METERED], start=T0 - DAY, end=T0))[0].kpi


@pytest.mark.parametrize("restart", [False, True])
def test_a_value_becomes_final_without_messages_whenever_the_clock_is_looked_at(tmp_path: Path, restart: bool) -> None:
    """The day ends 11 h after T0 and is final 72 h later; nobody need be there at that very hour."""
    bench = Bench(tmp_path, [windows(0, 1)])
    bench.now = T0 + 10 * MINUTE
    bench.steps()
    before = day(bench)
    for hours in (20, 80, 100):
        if restart:
            bench = Bench(tmp_path)
        bench.now = T0 + hours * HOUR
        bench.steps()
    after = day(bench)
    assert (before.status, after.status) == ("provisional", "final")
    assert (after.value, after.revision) == (2.0, 1)
    assert after.coverage < before.coverage


def test_heartbeats_say_what_ingest_hears_and_writes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0)], [])
    bench.steps()
    assert bench.store.heartbeats() == [
        Heartbeat("gateway", "gw", NOW), Heartbeat("ingest", "ingest-1", NOW), Heartbeat("kpi", "aba", NOW)
    ]  # fmt: skip
    bench.now = NOW + 9_000
    bench.steps()
    assert {b.time for b in bench.store.heartbeats()} == {NOW}  # not with every step
    bench.now = NOW + 10_000
    bench.steps()
    later = {b.role: b.time - NOW for b in bench.store.heartbeats()}
    assert (later["ingest"], later["gateway"]) == (10_000, 0)


def test_a_store_that_takes_no_heartbeat_acknowledges_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0)])
    bench.store._db.execute("DROP TABLE heartbeat")
    bench.steps()
    assert bench.link.acknowledged == []
