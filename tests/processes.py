"""Processes the tests start: each is ended by its own handle, and none may outlive the run."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
_LIBC = ctypes.CDLL(None)  # loaded here, because between fork and exec a process must touch as little as it can

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

_ports = random.SystemRandom()  # not seeded: test processes beside each other must not draw the same
_given: set[int] = set()  # ports; one may be asked for before the server of another has bound its own
_started: list[subprocess.Popen[bytes]] = []


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on, never the same twice.

    Below those that kernels give to outgoing connections: a server that is away for a while finds its port free again.
    """
    while True:
        port = _ports.randrange(10_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


def busy() -> float:
    """How many times longer than on an idle machine something may take: runnable programs for each processor, 1 to 10.

    Limits of waiting are multiplied by it: they only end a test that waits for nothing.
    """
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0), 10.0)


def wait_for(condition: Callable[[], T], timeout: float = 10.0, what: str = "the condition") -> T:
    """Ask until `condition()` is true and return its value; fail after `timeout` seconds naming `what`.

    On a busy machine it waits longer, see `busy`. A question that takes long, such as one that starts a process, is
    asked less often: what is waited for needs the processor too.
    """
    began = asked = time.monotonic()
    pause = 0.005
    while not (value := condition()):
        now = time.monotonic()
        if now - began > timeout * busy():
            raise AssertionError(f"Waited {now - began:.2g} s for {what}, without success.")
        time.sleep(max(pause, now - asked))
        asked = time.monotonic()
        pause = min(pause * 1.5, 0.1)
    return value


def need(command: str, package: str | None = None) -> str:
    """The path of `command`; without it the test is skipped, or fails when CI=true."""
    found = shutil.which(command, path=SEARCH_PATH)
    if found:
        return found
    reason = f"{command} is not installed (package {package or command}); `make servers` installs it"
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output appended to `log`; `env` is added to our own environment."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            preexec_fn=_end_with_us if sys.platform == "linux" and in_main_thread else None,  # noqa: PLW1509
        )
    _started.append(process)
    return process


def _end_with_us() -> None:
    """Have Linux kill the process when ours is gone, however that happens (it watches the starting thread)."""
    _LIBC.prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG


def end(process: subprocess.Popen[bytes], timeout: float = 10.0) -> int:
    """Ask the process to end, kill it after `timeout` seconds, and return its exit code."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout * busy())
    if process.poll() is None:
        process.kill()
    return process.wait()


def end_left_over(started: Sequence[subprocess.Popen[bytes]] = _started) -> list[str]:
    """End whatever of `started` still runs, and say what it was: a clean run returns nothing."""
    left = [process for process in started if process.poll() is None]
    for process in left:
        end(process)
    return [f"{Path(str(process.args[0])).name} (process {process.pid})" for process in left]  # type: ignore[index]
