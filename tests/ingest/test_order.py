"""A message that is redelivered after a newer one does not restore an older state of its windows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from telemetry.errors import Unavailable
from telemetry.windows import DAY, HOUR, MINUTE
from telemetry.wire import encode
from tests.ingest.samples import NOW, T0, windows
from tests.ingest.test_service import Bench


def receipts(bench: Bench) -> list[list[int]]:
    return [json.loads(p) for topic, p, _ in bench.link.published if topic.endswith("stored")]


def test_an_overtaken_message_changes_nothing_and_the_newer_one_is_receipted_again(tmp_path: Path) -> None:
    old, new = windows(0, kwh=1.0, number=4), windows(0, kwh=5.0, number=6)
    bench = Bench(tmp_path, [old], [new], [old])
    bench.steps(3)
    assert bench.metered() == 5.0
    assert receipts(bench) == [[4], [6], [6]]
    assert len(bench.link.acknowledged) == 3  # the broker need not bring it once more


def test_within_one_batch_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, kwh=5.0, number=6), windows(0, kwh=1.0, number=4)])
    bench.steps()
    assert (bench.metered(), receipts(bench)) == (5.0, [[6], [6]])


def test_a_restart_does_not_forget_it(tmp_path: Path) -> None:
    Bench(tmp_path, [windows(0, kwh=5.0, number=6)]).steps()
    again = Bench(tmp_path, [windows(0, kwh=1.0, number=4), windows(0, kwh=7.0, number=6)])
    again.steps()
    assert (again.metered(), receipts(again)) == (7.0, [[6], [6]])  # the same number is the same message again


def test_what_could_not_be_stored_is_not_overtaken(tmp_path: Path) -> None:
    message = windows(0, kwh=5.0, number=6)
    bench = Bench(tmp_path, [message], [message], [message])
    blocker = sqlite3.connect(bench.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    bench.steps()
    assert bench.link.acknowledged == []
    blocker.execute("ROLLBACK")
    blocker.close()
    bench.now += 60_000
    bench.steps()
    assert (bench.metered(), receipts(bench)) == (5.0, [[6]])


def test_messages_without_a_number_are_taken_as_they_come(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, kwh=1.0), windows(0, kwh=5.0)], [windows(0, kwh=2.0)])
    bench.steps(2)
    assert bench.metered() == 2.0


def test_a_window_that_cannot_be_is_left_out_and_the_others_of_its_message_are_stored(tmp_path: Path) -> None:
    far = 500 * 24 * 60  # minutes after T0: months after NOW
    bench = Bench(tmp_path, [windows(0, 1, far, number=3)])
    bench.steps()
    assert (bench.held(), bench.metered()) == (2, 2.0)
    assert "clock is wrong" in bench.reasons()[0]
    assert receipts(bench) == [[3]]


def test_an_ingest_whose_clock_is_hours_behind_refuses_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, 1, number=3)])
    bench.now = T0 - 20 * HOUR
    bench.steps()
    assert (bench.held(), bench.reasons()) == (2, [])


def test_a_gateway_that_numbers_from_below_what_is_stored_goes_on_above_it(tmp_path: Path) -> None:
    """Its clock was years ahead, its buffer was lost, and now its clock is right."""
    buffer = Buffer(tmp_path / "gateway.db", MINUTE)
    core = Core(buffer, [Source("cv/1/{city}/{device}/data", "senml")])
    body = b'[{"n":"energy_delta","u":"kWh","v":3,"bt":%d}]' % (T0 // 1000)
    core.accept([Incoming("cv/1/aba/m1/data", body)], NOW)

    def sent() -> bytes:
        [parcel] = core.assign_messages(*core.pending(), NOW)
        return encode("aba", MINUTE, parcel.partials, buffer.table, parcel.number)

    bench = Bench(tmp_path, [windows(1, number=NOW + 50 * 365 * DAY)], [sent()])
    bench.steps(2)
    assert bench.metered() == 1.0
    assert buffer.confirm_messages("aba", receipts(bench)[-1]) == 1
    bench.link.batches.append([sent()])
    bench.steps()
    buffer.confirm_messages("aba", receipts(bench)[-1])
    assert (bench.metered(), buffer.backlog()) == (4.0, (0, None))


def test_an_ingest_whose_clock_is_days_behind_what_is_stored_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, number=3)], [windows(1, number=4)], [windows(1, number=4)])
    bench.steps()
    bench.now = T0 - 40 * DAY
    bench.steps()
    assert (bench.held(), bench.reasons(), len(bench.link.acknowledged)) == (1, [], 1)
    assert "clock is behind" in bench.service._last_status
    bench.now = NOW + HOUR
    bench.steps()
    assert (bench.held(), len(bench.link.acknowledged)) == (2, 2)


def test_a_store_that_is_away_for_a_day_ends_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(1100):
        bench.service._back_off(Unavailable("away"), had_messages=True)
    assert bench.service._pause_until <= bench.now + 30_000
