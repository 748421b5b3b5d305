"""A message that comes again after a newer one does not bring an older state of its windows back."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from telemetry.windows import HOUR
from tests.ingest.samples import T0, windows
from tests.ingest.test_service import Bench


def receipts(bench: Bench) -> list[list[int]]:
    return [json.loads(p) for topic, p, _ in bench.link.published if topic.endswith("stored")]


def test_an_overtaken_message_changes_nothing_and_gets_no_receipt(tmp_path: Path) -> None:
    old, new = windows(0, kwh=1.0, number=4), windows(0, kwh=5.0, number=6)
    bench = Bench(tmp_path, [old], [new], [old])
    bench.steps(3)
    assert bench.metered() == 5.0
    assert receipts(bench) == [[4], [6]]
    assert len(bench.link.acknowledged) == 3  # the broker need not bring it once more


def test_within_one_batch_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [windows(0, kwh=5.0, number=6), windows(0, kwh=1.0, number=4)])
    bench.steps()
    assert (bench.metered(), receipts(bench)) == (5.0, [[6]])


def test_a_restart_does_not_forget_it(tmp_path: Path) -> None:
    Bench(tmp_path, [windows(0, kwh=5.0, number=6)]).steps()
    again = Bench(tmp_path, [windows(0, kwh=1.0, number=4), windows(0, kwh=7.0, number=6)])
    again.steps()
    assert (again.metered(), receipts(again)) == (7.0, [[6]])  # the same number is the same message again


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
