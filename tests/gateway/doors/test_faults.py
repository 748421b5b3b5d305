"""A door goes on after a fault, and nobody waits for a gateway that has ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from gateway.decoding.framing import Sized
from gateway.doors import handover, threaded
from gateway.doors.handover import Handover
from gateway.doors.inbox import Inbox
from gateway.doors.threaded import ThreadedDoor
from gateway.incoming import Incoming
from tests.processes import wait_for


def test_what_comes_after_the_end_is_answered_at_once() -> None:
    inbox = Inbox()
    before = inbox.deliver([Incoming("a", b"1")])
    inbox.close()
    after = inbox.deliver([Incoming("a", b"2")])
    assert [future.done() and future.result() for future in (before, after)] == [False, False]
    assert after.done()


def test_a_door_begins_again_after_a_fault(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(threaded, "_AGAIN_S", 0.01)
    runs = list[int]()

    class Faulty(ThreadedDoor):
        """Two faults, then it works."""

        def _run(self) -> None:
            runs.append(len(runs))
            if len(runs) < 3:
                raise ValueError("a fault")
            self._over.wait()

    door = Faulty("faulty")
    with caplog.at_level(logging.ERROR):
        door.start()
        wait_for(lambda: len(runs) == 3, what="the door to begin again")
        door.stop()
    assert not door._thread.is_alive()
    assert caplog.text.count("faulty failed and begins again") == 2


def test_what_waits_for_the_disk_is_bounded_in_bytes_too_and_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handover, "_MOST_BYTES", 1000)
    stores = [False]

    class Disk(Inbox):
        """Answers at once."""

        def deliver(self, messages: Sequence[Incoming]) -> Future[bool]:
            given.append([m.payload[:2] for m in messages])
            done = Future[bool]()
            done.set_result(stores[0])
            return done

    given = list[list[bytes]]()
    made = Handover(Disk(), lambda: False)
    with caplog.at_level(logging.WARNING):
        for n in range(50):
            assert not made.give(Incoming("a", b"%02d" % n + bytes(98)))
        assert len(made) == 10
        assert caplog.text.count("are dropped") == 1
        stores[0], made._retry_at = True, 0.0
        assert made.give()
    assert given[-1] == [b"%02d" % n for n in range(40, 50)], "the newest, in order"
    assert "40 were dropped" in caplog.text


def test_bytes_without_a_mark_do_not_gather_in_memory() -> None:
    for mark in (b"B", b"BM"):
        cut = Sized(mark, 4, lambda _: True)
        for _ in range(1000):
            assert cut.feed(b"noise" * 20) == []
        assert len(cut._held) < len(mark)
        assert cut.feed(mark + b"1234") == [(mark + b"1234")[:4]]
