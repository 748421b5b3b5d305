"""Runs tests in forks of one process that has the libraries imported: `python worker.py`, in a copy of the repository.

A line on standard input is a JSON list, the seconds of processor time allowed and the arguments of pytest; the answer
is a line, pytest's exit code (negative: the signal that ended it), or `late`. Nothing of the repository is imported
before the fork, so that each run reads its own source.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress

import pytest

LIBRARIES = ("numpy", "hypothesis", "hypothesis.strategies", "msgspec", "pydantic", "sqlite3", "zoneinfo", "asyncio")


WAITING = 20  # a run that waits instead of working is ended after this many times as long


def child(seconds: int, arguments: list[str]) -> None:
    """Run pytest and leave; a group of its own, so that what it started can be ended with it."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    code = 99
    try:
        code = int(pytest.main(arguments))
    finally:
        os._exit(code)


def outcome(pid: int, seconds: float) -> str:
    """The exit code of the fork, or `late` after ending it."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return str(os.waitstatus_to_exitcode(status))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "late"


def main() -> None:
    """Answer until standard input ends."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        seconds, arguments = json.loads(line)
        pid = os.fork()
        if not pid:
            child(seconds, arguments)
        print(outcome(pid, seconds * WAITING), flush=True)


if __name__ == "__main__":
    main()
