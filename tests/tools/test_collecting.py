"""Of the workers one reads the test files first; what it read is left alone by the garbage collector."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

from tests.once import first_alone, kept


def test_the_first_reads_alone_and_the_others_together_after_it(tmp_path: Path) -> None:
    order: list[str] = []
    inside, may_leave, together = threading.Event(), threading.Event(), threading.Barrier(2, timeout=60)

    def first() -> None:
        with first_alone(tmp_path):
            inside.set()
            may_leave.wait(60)
            order.append("first left")

    def other() -> None:
        with first_alone(tmp_path):
            order.append("another read")
            together.wait()  # breaks where each of them reads alone

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert inside.wait(60)
    threads += [threading.Thread(target=other) for _ in range(2)]
    for thread in threads[1:]:
        thread.start()
    may_leave.set()
    for thread in threads:
        thread.join(60)
    assert order == ["first left", "another read", "another read"]
    assert not together.broken


def test_without_other_workers_nobody_waits() -> None:
    with first_alone(None):
        pass


def test_what_was_made_meanwhile_is_not_looked_at_by_the_collector() -> None:
    before = gc.get_freeze_count()
    with kept():
        made = [[number] for number in range(1000)]
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)
