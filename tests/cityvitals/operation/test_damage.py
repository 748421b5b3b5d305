"""A damaged buffer: the gateway continues with a new one, and what the old one held comes back."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import Damaged
from adapters.sqlite.rejects import Rejects
from cityvitals.cli.main import app
from cityvitals.operation.recover import damaged_files, only_one, recover, sound_buffer, sound_rejects
from gateway.core import Core, Incoming, Source
from telemetry.errors import CityVitalsError
from telemetry.windows import MINUTE
from tests.ingest.samples import windows
from tests.ingest.test_service import Bench

NOW = 1_709_294_400_000
SOURCE = Source("cv/1/{city}/{device}/data", "senml")


def fill(path: Path, count: int, first: int = 0) -> None:
    core = Core(Buffer(path, MINUTE), [SOURCE])
    for seq in range(first, first + count):
        body = f'[{{"n":"no2","v":{seq % 50},"bt":{NOW / 1000 - seq * 7},"boot":1,"seq":{seq}}}]'.encode()
        core.accept([Incoming("cv/1/aba/s1/data", body)], NOW)
    core.buffer.close()


def held(path: Path) -> int:
    buffer = Buffer(path, None)
    try:
        return int(buffer.db.execute("SELECT count(*) FROM every_reading").fetchone()[0])
    finally:
        buffer.close()


def spoil(path: Path, start: float, length: int = 4096) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(int(size * start) // 4096 * 4096)
        file.write(b"\xa5" * length)


def test_a_file_that_is_no_database_is_set_aside_with_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(b"not a database at all" * 1000)
    with caplog.at_level(logging.ERROR):
        buffer = sound_buffer(path, MINUTE, NOW)
    assert buffer.counters() == {}
    [aside] = damaged_files(path)
    assert f"cityvitals recover {aside} --buffer {path}" in caplog.text


def test_windows_that_began_before_the_damage_wait_for_the_rest_of_their_readings(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    fill(path, 3)
    spoil(path, 0.0, 100)
    core = Core(sound_buffer(path, MINUTE, NOW), [SOURCE])
    late, live = NOW / 1000 - 1, NOW / 1000 + 60
    for t in (late, live):
        core.accept([Incoming("cv/1/aba/s1/data", f'[{{"n":"no2","v":1,"bt":{t}}}]'.encode())], NOW + 60_000)
    assert core.pending()[0].window.tolist() == [NOW + MINUTE]
    core.buffer.set_send_from(0)
    assert len(core.pending()[0].window) == 2


def test_readings_of_a_damaged_file_are_recovered_and_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    fill(path, 6000)
    spoil(path, 0.45)
    old = path.rename(tmp_path / "gateway.db.damaged-x")
    with pytest.raises(Damaged):
        for _ in Buffer(old, MINUTE)._read("SELECT sum(value) FROM every_reading"):
            pass
    buffer = sound_buffer(path, MINUTE, NOW)
    assert buffer.send_from > NOW
    buffer.close()
    found, fresh = recover(old, path, lambda _: None)
    assert found >= fresh > 5000
    assert held(path) == fresh
    again = Core(Buffer(path, None), [SOURCE])
    assert again.buffer.send_from == 0
    assert len(again.pending()[0].window) > 500


def test_windows_of_before_wait_until_every_file_that_was_set_aside_is_recovered(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    for name, first in (("gateway.db.damaged-1", 0), ("gateway.db.damaged-2", 100)):
        fill(path, 50, first)
        path.rename(tmp_path / name)
    sound_buffer(path, MINUTE, NOW).close()
    for name, waits in (("gateway.db.damaged-2", True), ("gateway.db.damaged-1", False)):
        assert recover(tmp_path / name, path, lambda _: None) == (50, 50)
        buffer = Buffer(path, None)
        assert (buffer.send_from > 0) == waits
        buffer.close()
    assert damaged_files(path) == []
    assert len(list(tmp_path.glob("gateway.db.recovered-?"))) == 2


def test_a_file_that_is_no_buffer_does_not_end_the_waiting(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    fill(path, 3)
    path.rename(tmp_path / "gateway.db.damaged-1")
    sound_buffer(path, MINUTE, NOW).close()
    (tmp_path / "notes.txt").write_text("nothing of ours\n" * 1000)
    with pytest.raises(CityVitalsError, match="does not contain readings"):
        recover(tmp_path / "notes.txt", path, lambda _: None)
    buffer = Buffer(path, None)
    assert buffer.send_from > NOW
    buffer.close()


def test_recovering_joins_what_is_missing_at_the_end_of_a_boot_and_what_has_no_time_of_its_own(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"

    def take(path: Path, boot: int, labels: str) -> None:
        core = Core(Buffer(path, MINUTE), [SOURCE])
        body = f'[{{"n":"no2","v":5,"boot":{boot},{labels}}}]'.encode()
        core.accept([Incoming("cv/1/aba/s1/data", body)], NOW)
        core.buffer.close()

    take(old, 1, f'"seq":0,"bt":{NOW / 1000 - 900}')
    take(old, 2, f'"seq":0,"bt":{NOW / 1000 - 600},"pboot":1,"pseq":4')
    take(old, 2, '"seq":1,"up":5,"sent":9')
    take(new, 1, f'"seq":2,"bt":{NOW / 1000 - 800}')
    take(new, 2, '"seq":3,"up":5,"sent":9')
    recover(old, new, lambda _: None)
    buffer = Buffer(new, None)
    entry = buffer.ledger.get("aba", "s1", 1)
    assert entry is not None
    assert (entry.seen, entry.sent, entry.missing) == ("0,2", 5, 3)
    assert buffer.ledger.undated() == {("aba", "s1", 2): "1,3"}
    buffer.close()


def test_a_late_reading_of_a_window_the_old_file_had_let_go_replaces_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    fill(old, 600)
    with closing(Buffer(old, None)) as buffer:
        dirty, _ = buffer.dirty(60, newest_first=False)
        buffer.confirm(dirty)
        buffer.prune(NOW + 1, 1 << 40)
        gone = buffer.pruned_before
    assert gone > 0
    late = f'[{{"n":"no2","v":1,"bt":{gone / 1000 - 1}}}]'.encode()
    for moment in ("before", "after"):
        core = Core(Buffer(new, MINUTE), [SOURCE])
        core.accept([Incoming("cv/1/aba/s1/data", late)], NOW)
        core.buffer.close()
        if moment == "before":
            recover(old, new, lambda _: None)
    with closing(Buffer(new, None)) as buffer:
        assert buffer.dirty(1000)[0].window.min() >= gone
        assert "older than what this gateway still holds" in buffer.rejects.newest()[0].reason


def test_recovering_a_sound_file_brings_back_every_reading_and_the_ledger(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    fill(old, 50)
    fill(new, 30, first=60)
    assert recover(old, new, lambda _: None) == (50, 50)
    assert recover(old, new, lambda _: None) == (50, 0)
    buffer = Buffer(new, None)
    [entry] = buffer.ledger.with_gaps()
    assert (entry.received, entry.missing, entry.seen) == (80, 10, "0-49,60-89")


def test_refused_messages_are_not_replayed_beside_a_running_gateway(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    core = Core(Buffer(path, MINUTE), [SOURCE])
    core.accept([Incoming("cv/1/aba/s1/data", b"nonsense")], NOW)
    core.buffer.close()
    command = [sys.executable, "-m", "cityvitals", "rejects", "replay", "--buffer", str(path)]
    with only_one(path):
        answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (answer.returncode, "Stop the gateway first" in answer.stderr) == (1, True)
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "1 messages replayed" in answer.stdout


def test_windows_that_ingest_refused_keep_their_reason_and_the_way_to_resend_them_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "rejects.db"
    kept = Rejects.open(path)
    kept.add([(NOW, "cv/1/aba/gateway-1/windows", b"{}", "not a windows message")])
    kept.db.close()
    answer = CliRunner().invoke(app, ["rejects", "replay", "--buffer", str(path)])
    assert answer.exit_code == 0, answer.output
    assert "0 messages replayed" in answer.output
    assert "`cityvitals resend` on the gateway" in answer.output
    kept = Rejects.open(path)
    assert [(r.id, r.reason) for r in kept.newest()] == [(1, "not a windows message")]
    kept.db.close()


def test_a_buffer_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    fill(path, 1)
    with only_one(path), pytest.raises(CityVitalsError, match="Stop the gateway first"):
        recover(path, path, lambda _: None)


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_damaged_refused_messages_are_set_aside_and_the_kpis_derived_again(tmp_path: Path, start: float) -> None:
    path = tmp_path / "rejects.db"
    with closing(sound_rejects(path, ["aba"]).db):
        pass
    kept = sound_rejects(path, ["aba"])
    kept.add([(NOW, "t", b"x" * 2000, "no") for _ in range(200)])
    assert kept.underived() == []
    kept.db.close()
    spoil(path, start)
    again = sound_rejects(path, ["aba"])
    assert (again.newest(), again.underived()) == ([], ["aba"])
    again.db.close()
    assert len(damaged_files(path)) == 1
    assert sound_rejects(path, []).underived() == ["aba"]


def test_ingest_ends_when_its_own_file_is_damaged_so_that_the_next_start_replaces_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0)])
    bench.rejects.add([(NOW, "t", b"x" * 2000, "no") for _ in range(200)])
    bench.rejects.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    bench.rejects.db.execute("PRAGMA cache_size=0")
    spoil(tmp_path / "rejects.db", 0.0, 1 << 20)
    with pytest.raises(Damaged):
        bench.steps()
    assert bench.link.acknowledged == []
