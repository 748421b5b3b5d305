"""A door goes on after a fault, and nobody waits for a gateway that has ended."""

from __future__ import annotations

import logging

import pytest

from gateway.doors import threaded
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
