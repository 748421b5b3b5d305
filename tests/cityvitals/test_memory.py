"""A long-running process gives freed arrays back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Freeing a block of 24 MB lets glibc keep later ones of that size in its heap; the small object behind them then stays
# in the way of giving them back.
_BATCHES = """
import psutil
from cityvitals.memory import steady_heap
given = {call}
own = psutil.Process()
before = own.memory_info().rss
first = bytearray(24 << 20)
del first
arrays, behind = [bytearray(8 << 20) for _ in range(8)], []
behind.append(b"x" * 100_000)
del arrays
print(given, (own.memory_info().rss - before) >> 20)
"""


def _kept(call: str) -> tuple[str, int]:
    found = subprocess.run(
        [sys.executable, "-c", _BATCHES.replace("{call}", call)], check=True, capture_output=True, text=True, timeout=60
    )
    given, megabytes = found.stdout.split()
    return given, int(megabytes)


def test_freed_arrays_leave_the_process() -> None:
    given, kept = _kept("steady_heap()")
    if given == "False":
        pytest.skip("malloc is not glibc's")
    assert kept < 4
    assert _kept("True")[1] > 40, "without it they stay: else this test shows nothing"


# 100 MB in objects of 2 kB, of which every 25th stays: no end of the heap is free, but most of its pages are.
_SMALL = """
import psutil
from cityvitals.memory import trimming
stop = trimming(lambda: "ended", {grown})
many = [bytes(2000) for _ in range(50_000)]
kept = many[::25]
del many
own = psutil.Process()
before = own.memory_info().rss
answer = stop()
print(answer, (before - own.memory_info().rss) >> 20)
"""


def _trimmed(grown: int) -> tuple[str, int]:
    command = [sys.executable, "-c", _SMALL.replace("{grown}", str(grown))]
    answer, megabytes = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    return answer, int(megabytes)


def test_free_pages_between_objects_that_stay_leave_the_process_that_has_grown() -> None:
    if _kept("steady_heap()")[0] == "False":
        pytest.skip("malloc is not glibc's")
    answer, megabytes = _trimmed(8 << 20)
    assert answer == "ended"
    assert megabytes > 60
    assert _trimmed(1 << 40) == ("ended", 0)
