"""Store, then acknowledge; dirty windows as outbox: what the core and its buffer promise, without a network."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.decoding.sessions import MOST_ROWS
from telemetry.errors import Unavailable, UsageError
from telemetry.windows import DAY, HOUR, MINUTE
from tests.gateway import cores
from tests.gateway.cores import ARRIVAL, pack


@pytest.fixture
def core(tmp_path: Path) -> Core:
    return cores.make(tmp_path)


@pytest.fixture
def locked(core: Core) -> Iterator[sqlite3.Connection]:
    """Another program holds the buffer's file; `rollback` on it lets go."""
    core.buffer.db.execute("PRAGMA busy_timeout=0")
    other = sqlite3.connect(core.buffer.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def accept(core: Core, *messages: Incoming) -> None:
    core.accept(messages, ARRIVAL)


def send(core: Core) -> dict[tuple[str, int], tuple[int, float]]:
    """Take what is pending, and say that it is stored."""
    dirty, partials = core.pending()
    core.confirm(dirty)
    return cores.windows(core, partials)


# -- stored once -------------------------------------------------------------------------------------------------------


def test_a_duplicate_is_counted_and_stored_once(core: Core) -> None:
    counts = core.accept([pack(5.0), pack(5.0)], ARRIVAL)
    again = core.accept([pack(5.0)], ARRIVAL + 9)
    assert (counts.stored, counts.duplicate, again.stored, again.duplicate) == (1, 1, 0, 1)
    assert cores.readings(core) == [["no2", 5.0, 0.0]]
    assert core.buffer.counters()["gw_duplicate"] == 2


def test_a_duplicate_makes_nothing_dirty(core: Core) -> None:
    accept(core, pack(5.0))
    send(core)
    accept(core, pack(5.0))
    assert send(core) == {}


def test_a_retained_message_with_a_time_of_its_own_is_stored_once(core: Core) -> None:
    accept(core, pack(5.0, 60), pack(5.0, 60, retain=True))
    accept(core, pack(5.0, 60, retain=True))
    assert cores.readings(core) == [["no2", 5.0, 60.0]]
    assert core.buffer.counters()["gw_duplicate"] == 2


def test_a_retained_message_without_a_time_is_kept_with_its_reason(core: Core) -> None:
    accept(core, Incoming("cv/1/aba/s1/data", b'[{"n":"no2","v":5}]', retain=True))
    assert cores.readings(core) == []
    assert "retained" in cores.reasons(core)[0]


def test_a_corrected_value_replaces_the_reading_and_is_sent_again(core: Core) -> None:
    accept(core, pack(5.0))
    send(core)
    accept(core, pack(6.0))
    assert cores.readings(core) == [["no2", 6.0, 0.0]]
    assert send(core) == {("s1", 0): (1, 6.0)}


def test_sessions_of_one_charger_and_second_are_distinguished_by_their_key(core: Core) -> None:
    body = '[{"n":"session_energy","v":%s,"t":1709290800,"key":"%s"}]'
    topic = "cv/1/aba/c1/data"
    accept(core, *(Incoming(topic, (body % row).encode()) for row in ((1, "a"), (2, "b"), (1, "a"))))
    assert sorted(r[1] for r in cores.readings(core)) == [1.0, 2.0]


# -- the disk does not take it -----------------------------------------------------------------------------------------


def test_while_the_buffer_cannot_write_nothing_is_accepted_and_nothing_half_done(
    core: Core, locked: sqlite3.Connection
) -> None:
    for _ in range(3):
        with pytest.raises(Unavailable):
            accept(core, pack(5.0), Incoming("cv/1/aba/s1/data", b"bad"), pack(7.0, 1, device="new"))
    locked.rollback()
    assert (cores.readings(core), cores.reasons(core), core.buffer.counters()) == ([], [], {})


def test_afterwards_everything_is_there_with_new_series_too(
    core: Core, locked: sqlite3.Connection, tmp_path: Path
) -> None:
    messages = [pack(5.0), Incoming("cv/1/aba/s1/data", b"bad"), pack(7.0, 1, device="new")]
    with pytest.raises(Unavailable):
        accept(core, *messages)
    locked.rollback()
    accept(core, *messages)
    again = Core(Buffer(tmp_path / "gateway.db", MINUTE), [cores.SENML])
    assert cores.readings(again) == [["no2", 7.0, 1.0], ["no2", 5.0, 0.0]]
    assert {s.device for s in again.buffer.table.all} == {"s1", "new"}
    assert len(cores.reasons(again)) == 1


def test_marks_that_cannot_be_cleared_stay(core: Core, locked: sqlite3.Connection) -> None:
    locked.rollback()
    accept(core, pack(5.0))
    dirty, _ = core.pending()
    locked.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        core.confirm(dirty)
    locked.rollback()
    assert send(core) == {("s1", 0): (1, 5.0)}


def test_a_full_disk_is_no_crash(core: Core) -> None:
    pages = core.buffer.db.execute("PRAGMA page_count").fetchone()[0]
    core.buffer.db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unavailable):
        accept(core, *(pack(float(i), i) for i in range(2000)))
    core.buffer.db.execute("PRAGMA max_page_count=1000000")
    accept(core, *(pack(float(i), i) for i in range(2000)))
    assert len(cores.readings(core)) == 2000


# -- the outbox --------------------------------------------------------------------------------------------------------


def test_a_window_holds_all_its_readings_also_those_sent_before(core: Core) -> None:
    accept(core, pack(5.0))
    assert send(core) == {("s1", 0): (1, 5.0)}
    accept(core, pack(6.0, -30))
    assert send(core) == {("s1", 0): (2, 11.0)}


def test_an_open_window_is_sent_again_only_when_it_changed(core: Core) -> None:
    accept(core, pack(5.0), pack(7.0, device="s2"))
    assert len(send(core)) == 2
    assert send(core) == {}
    accept(core, pack(6.0, -1))
    assert set(send(core)) == {("s1", 0)}


def test_a_window_that_changed_while_it_was_under_way_stays_dirty(core: Core) -> None:
    accept(core, pack(5.0), pack(7.0, device="s2"))
    dirty, _ = core.pending()
    accept(core, pack(6.0, -1))
    core.confirm(dirty)
    assert send(core) == {("s1", 0): (2, 11.0)}


def test_a_window_that_changed_twice_while_under_way_is_not_cleared_by_the_older_of_two_answers(core: Core) -> None:
    accept(core, pack(5.0))
    first, _ = core.pending()
    accept(core, pack(6.0, -1))
    second, _ = core.pending()
    accept(core, pack(7.0, -2))
    core.confirm(first)
    core.confirm(second)
    assert send(core) == {("s1", 0): (3, 18.0)}


def test_the_newest_windows_go_first(core: Core) -> None:
    accept(core, *(pack(1.0, 60 * minute) for minute in (300, 0, 200, 100, 1)))
    _, partials = core.pending(limit=2)
    assert set(cores.windows(core, partials)) == {("s1", 0), ("s1", 1)}


def test_a_backlog_leaves_in_pieces_without_loss(core: Core) -> None:
    accept(core, *(pack(1.0, 60 * minute) for minute in range(250)))
    seen: set[tuple[str, int]] = set()
    while True:
        dirty, partials = core.pending(limit=60)
        if not len(dirty.window):
            break
        assert not seen & set(cores.windows(core, partials))
        seen |= set(cores.windows(core, partials))
        core.confirm(dirty)
    assert seen == {("s1", minute) for minute in range(250)}


def test_what_was_not_sent_before_a_restart_is_sent_after_it(core: Core, tmp_path: Path) -> None:
    accept(core, pack(5.0), pack(6.0, 120))
    core.pending()
    assert set(send(cores.make(tmp_path))) == {("s1", 0), ("s1", 2)}


def test_flagged_readings_make_a_window_without_a_value(core: Core) -> None:
    accept(core, pack(5000.0))
    _, partials = core.pending()
    assert (partials.n.tolist(), partials.flagged.tolist(), partials.sum.tolist()) == ([0], [1], [0.0])


def test_lag_shows_how_late_a_reading_came(core: Core) -> None:
    accept(core, pack(5.0, 3600))
    assert core.pending()[1].lag.tolist() == [HOUR]


def test_a_file_of_another_window_width_is_refused(tmp_path: Path) -> None:
    Buffer(tmp_path / "b.db", MINUTE).close()
    with pytest.raises(UsageError, match="60 s"):
        Buffer(tmp_path / "b.db", HOUR)


# -- retention ---------------------------------------------------------------------------------------------------------

OLD = 3 * 86_400
ENDLESS = 1 << 40


def test_what_was_not_sent_is_not_pruned(core: Core) -> None:
    core.accept([pack(1.0, OLD)], ARRIVAL - OLD * 1000)
    assert core.buffer.prune(ARRIVAL, ENDLESS) == 0
    send(core)
    assert core.buffer.prune(ARRIVAL, ENDLESS) == 1


def test_what_arrived_lately_is_not_pruned_however_old_it_is(core: Core) -> None:
    accept(core, pack(1.0, OLD))
    send(core)
    assert core.buffer.prune(ARRIVAL - DAY, ENDLESS) == 0


def test_a_reading_older_than_the_pruned_edge_is_kept_with_its_reason_and_not_folded(
    core: Core, tmp_path: Path
) -> None:
    core.accept([pack(1.0, OLD), pack(2.0, OLD + 1)], ARRIVAL - OLD * 1000)
    send(core)
    core.buffer.prune(ARRIVAL, ENDLESS)
    for where in (core, cores.make(tmp_path)):
        counts = where.accept([pack(3.0, OLD + 2), pack(4.0, 0)], ARRIVAL)
        assert counts.rejected == 1
        assert "older than what this gateway still holds" in cores.reasons(where)[0]
    assert cores.readings(core) == [["no2", 4.0, 0.0]]
    assert send(core) == {("s1", 0): (1, 4.0)}


def test_a_file_over_its_size_lets_the_oldest_sent_day_go_first(core: Core) -> None:
    core.accept([pack(1.0, OLD)], ARRIVAL - OLD * 1000)
    send(core)
    accept(core, pack(2.0))
    send(core)
    size = core.buffer.used_bytes()
    assert core.buffer.prune(0, size - 1) >= 1
    assert core.buffer.pruned_before <= ARRIVAL + DAY


# -- what a small message may become -----------------------------------------------------------------------------------


def long_sessions(count: int) -> Incoming:
    """Sessions of 89 days each in one message of a few hundred bytes."""
    start = ARRIVAL // 1000 - 90 * 86_400
    records = [
        f'{{"n":"session_energy","u":"kWh","v":1,"t":{start + n},"session":"{n}","end":{start + 89 * 86_400}}}'
        for n in range(count)
    ]
    return Incoming("cv/1/aba/s1/data", f"[{','.join(records)}]".encode())


def test_sessions_of_months_in_one_message_do_not_fill_the_memory(core: Core) -> None:
    counts = core.accept([long_sessions(60)], ARRIVAL)
    energy = [v for q, v, _ in cores.readings(core) if q == "session_energy"]
    assert len(energy) == 60  # no energy is lost
    assert counts.stored <= MOST_ROWS + 60
    assert "hours of sessions in one message" in cores.reasons(core)[0]


def test_a_batch_of_many_rows_is_stored_in_parts_and_counts_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [pack(float(n), n) if n % 7 else pack(1.0, n, name="nonsense") for n in range(50)]
    whole, parts = cores.make(tmp_path / "whole"), cores.make(tmp_path / "parts")
    counts = whole.accept(messages, ARRIVAL)
    monkeypatch.setattr("gateway.core._ROWS", 8)
    assert parts.accept(messages, ARRIVAL) == counts
    assert cores.readings(parts) == cores.readings(whole)
    assert cores.reasons(parts) == cores.reasons(whole)
    assert parts.buffer.counters() == whole.buffer.counters()
