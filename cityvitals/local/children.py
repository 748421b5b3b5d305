"""CityVitals processes and a broker on this machine, started and ended together; shared by demo and run."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cityvitals.local.broker import mosquitto, mosquitto_config
from cityvitals.processes import PARENT, READY, RESTARTS
from registry.config import load_city
from telemetry.errors import CityVitalsError, UsageError

log = logging.getLogger(__name__)

_START_S = 120.0


@dataclass(slots=True)
class Local:
    """Child processes with logs in one folder. Everything it starts is ended by `stop`."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, names: tuple[str, ...], config: Path) -> None:
        """Start these commands with a configuration."""
        for name in names:
            self._spawn(name, [sys.executable, "-m", "cityvitals", name, "--config", str(config)])

    def start_broker(self, port: int, host: str = "127.0.0.1") -> None:
        """Start Mosquitto, or amqtt where there is none, and wait until it accepts connections."""
        program = mosquitto()
        if program:
            config = self.folder / "mosquitto.conf"
            config.write_text(mosquitto_config(port, self.folder, host), encoding="utf-8")
            # Started as root, Mosquitto would switch to a user that cannot write here.
            text = config.read_text(encoding="utf-8") + (
                "user root\n" if os.name == "posix" and os.geteuid() == 0 else ""
            )
            config.write_text(text, encoding="utf-8")
            self._spawn("broker", [program, "-c", str(config)])
        else:
            self._spawn("broker", [sys.executable, "-m", "cityvitals", "broker", "--port", str(port), "--host", host])
        self.wait("the broker", lambda: connects(port))

    def _spawn(self, name: str, command: list[str]) -> None:
        self._ready_file(name).unlink(missing_ok=True)
        log: IO[bytes] = (self.folder / f"{name}.log").open("ab")
        with log:
            # A separate session, so that Ctrl-C reaches this process only, which ends the others in order.
            self.children[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={
                    **os.environ,
                    **self.environment,
                    PARENT: str(os.getpid()),
                    RESTARTS: "1",
                    READY: str(self._ready_file(name)),
                },
                cwd=self.folder,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
            )

    def _ready_file(self, name: str) -> Path:
        return self.folder / f".{name}.ready"

    def wait_for_gateway(self) -> None:
        """Until it has subscribed: the broker drops what is published before. Raises CityVitalsError as `wait` does."""
        self.wait("the gateway", self._ready_file("gateway").exists)

    def wait(self, what: str, ready: Callable[[], bool], limit_s: float = _START_S) -> None:
        """Until it is ready. Raises CityVitalsError when a process ends before, or after `limit_s`."""
        deadline = time.monotonic() + limit_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise CityVitalsError(f"{what} did not start within {limit_s:g} s; see the logs in {self.folder}.")
            time.sleep(0.1)

    def check(self) -> None:
        """Raise CityVitalsError when a process has ended by itself."""
        for name, child in self.children.items():
            code = child.poll()
            if code is not None:
                tail = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise CityVitalsError(f"{name} ended with code {code}; the end of its log: {' | '.join(tail)}")

    def restart(self, names: tuple[str, ...], config: Path) -> None:
        """End these commands and start them again, with a configuration that has changed."""
        self.stop(names)
        self.start(names, config)

    def stop(self, names: tuple[str, ...] = ("simulate", "gateway", "ingest", "api", "broker")) -> None:
        """End processes, by default all of them, nodes first, and wait for them."""
        for name in names:
            child = self.children.pop(name, None)
            if child is None:
                continue
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            self._ready_file(name).unlink(missing_ok=True)


class Watched:
    """City files that may change while the programs run, as when a device is registered."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._seen = self._stamp()

    def _stamp(self) -> list[tuple[int, int]]:
        return [(found.st_mtime_ns, found.st_ino) for found in (path.stat() for path in self._paths if path.exists())]

    def take_over(self, local: Local, config: Path) -> bool:
        """Start gateway and ingest again after a change. A file that cannot be read is left out until it can."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            for path in self._paths:
                load_city(path)
        except UsageError as error:
            log.error("%s The programs continue with the city as it was.", error)
            return False
        local.restart(("gateway", "ingest"), config)
        return True


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, SIGTERM and SIGINT raise KeyboardInterrupt; `stop` is always called at the end."""
    with ExitStack() as stack:
        stack.callback(stop)
        for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT too: a shell starts background jobs with it ignored
            stack.callback(signal.signal, number, signal.signal(number, _interrupt))
        yield


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _die_with_parent() -> None:
    """Linux: make the kernel end this child when its parent ends for any reason."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def connects(port: int) -> bool:
    """Whether something listens on this port of loopback."""
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
