"""What the long-running commands share, and the simulated nodes: run until a signal arrives."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.interrupts import INTERRUPTS
from adapters.sqlite.connection import Damaged
from adapters.store import Store
from adapters.stores import open_store
from cityvitals.clock import now_ms
from registry.city import City
from registry.config import load_city
from registry.settings import Settings
from telemetry.errors import Unavailable

log = logging.getLogger(__name__)

PARENT = "CITYVITALS_PARENT"
PULSE = "CITYVITALS_PULSE"
READY = "CITYVITALS_READY"  # a file that appears when the command receives what is published
RESTARTS = "CITYVITALS_RESTARTS"  # set where a change of a city file starts gateway and ingest again
T = TypeVar("T")


def until_stopped() -> Callable[[], bool]:
    """A function that is true after SIGINT or SIGTERM, or when the parent process has ended.

    It is called in every round of work, so it also touches the file named in CITYVITALS_PULSE, the heartbeat.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    signals = _Signals()
    INTERRUPTS[:] = [*(other for other in INTERRUPTS if not isinstance(other, _Signals)), signals]
    parent = int(os.environ.get(PARENT, "0"))
    heartbeat = Heartbeat(os.environ.get(PULSE))

    def stop() -> bool:
        heartbeat.beat()
        signals.drain()  # before the look: a signal that comes after it ends the next wait
        return stopped.is_set() or (parent != 0 and os.getppid() != parent)

    return stop


def marking_ready(stop: Callable[[], bool], ready: Callable[[], bool]) -> Callable[[], bool]:
    """`stop`, which also creates the file named in CITYVITALS_READY as soon as `ready`."""
    path = os.environ.get(READY)
    if not path:
        return stop
    missing = [Path(path)]

    def marked() -> bool:
        if missing and ready():
            missing.pop().touch()
        return stop()

    return marked


class _Signals:
    """Readable after any signal that is handled: waiting for messages ends then, until the program has looked."""

    def __init__(self) -> None:
        self._read, write = socket.socketpair()
        self._read.setblocking(False)
        write.setblocking(False)
        self._write = write  # kept open
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """For select."""
        return self._read.fileno()

    def drain(self) -> None:
        """Not readable from here on, until the next signal."""
        with suppress(BlockingIOError):
            while self._read.recv(4096):
                pass


class Heartbeat:
    """Touches a file, at most every five seconds; health checks read its age."""

    def __init__(self, path: str | None) -> None:
        self._path, self._next = Path(path) if path else None, 0.0

    def beat(self) -> None:
        """Touch the file when due; a file that cannot be written is ignored."""
        now = time.monotonic()
        if self._path and now >= self._next:
            self._next = now + 5.0
            with suppress(OSError):
                self._path.touch()


def cities_of(settings: Settings) -> list[City]:
    """The configured city files. A target that cannot be used is named in the log and stops nothing."""
    from reporting.city_file import bad_entries  # noqa: PLC0415 - the catalogue takes a moment to import

    cities = [load_city(path) for path in settings.city_files]
    for city, path in zip(cities, settings.city_files, strict=True):
        for sentence in bad_entries(city, path):
            log.warning("%s It is left out.", sentence)
    return cities


def open_answering(url: str) -> Store:
    """The store. Raises Unavailable where it does not answer."""
    store = open_store(url)
    store.ping()
    return store


def when_available(make: Callable[[], T], stop: Callable[[], bool]) -> T:
    """Retry `make` until it does not raise Unavailable: the store may start later, or the disk may be full."""
    last_status = ""
    while not stop():
        try:
            return make()
        except Damaged:
            raise
        except Unavailable as error:
            if str(error) != last_status:
                log.warning("waiting and retrying: %s", error)
            last_status = str(error)
            time.sleep(1.0)
    log.info("stopped while waiting")
    raise SystemExit(0)


def run_simulate(settings: Settings) -> None:
    """`cityvitals simulate`."""
    from simulators.faults import faults_of, unregistered_devices  # noqa: PLC0415
    from simulators.nodes import make_nodes, run  # noqa: PLC0415

    stop = until_stopped()
    interval = round(settings.simulate.interval_s * 1000)
    cities = [c for c in cities_of(settings) if settings.simulate.city in (None, c.id)]
    s = settings.simulate
    nodes = [
        node
        for c in cities
        for node in make_nodes(
            c, broker(s.broker), interval, now_ms(), faults_of(s), [d for d, _ in unregistered_devices(s, c.device)]
        )
    ]
    log.info("%d simulated nodes", len(nodes))
    run(nodes, interval, now_ms, stop)
