"""The measured side of the throughput benchmark, in a process of its own.

    python -m tests.bench.subscriber nothing|gateway PORT MESSAGES FOLDER [off]

`nothing` acknowledges and does nothing else; `gateway` is the gateway's own loop; `off` runs it without
synchronous=FULL, to show what the promise costs. Prints JSON: messages, seconds, CPU seconds, resident bytes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import psutil

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Counts, Incoming, Source
from gateway.service import Gateway

FILTER = "cv/1/+/+/data"


class Meter:
    """Counts messages between the first and the last."""

    def __init__(self, messages: int) -> None:
        self.messages, self.seen, self.began, self.cpu = messages, 0, 0.0, 0.0

    def count(self, received: int) -> bool:
        """Note received messages; true once all are there."""
        if received and not self.seen:
            self.began, self.cpu = time.perf_counter(), time.process_time()
        self.seen += received
        return self.seen >= self.messages

    def result(self) -> dict[str, float]:
        """The figures."""
        seconds, cpu = time.perf_counter() - self.began, time.process_time() - self.cpu
        return {
            "messages": self.seen,
            "per_second": self.seen / seconds,
            "cpu_us_per_message": 1e6 * cpu / self.seen,
            "resident_mb": psutil.Process().memory_info().rss / 2**20,
        }


def nothing(port: int, messages: int) -> dict[str, float]:
    """Receive and acknowledge."""
    link, meter = Link(Broker("127.0.0.1", port), f"bench-nothing-{os.getpid()}", [FILTER]), Meter(messages)
    _ready(link)
    while True:
        batch = link.receive(0.2)
        link.ack(batch)
        if meter.count(len(batch)):
            return meter.result()


def gateway(port: int, messages: int, folder: Path, *, full: bool) -> dict[str, float]:
    """The whole gateway: decode, store, acknowledge, fold, send on."""
    broker = Broker("127.0.0.1", port)
    buffer = Buffer(folder / "bench.db", 60_000)
    if not full:
        buffer.db.execute("PRAGMA synchronous=OFF")
    core = Core(buffer, [Source("cv/1/{city}/{device}/data", "senml")])
    link = Link(broker, f"bench-gateway-{os.getpid()}", [FILTER])
    meter = Meter(messages)
    made = Gateway(
        "bench",
        Counting(core, meter),  # type: ignore[arg-type]
        link,
        Link(broker, f"bench-up-{os.getpid()}"),
        lambda: time.time_ns() // 1_000_000,
    )
    _ready(link)
    while meter.seen < messages:
        made.step()
    return meter.result()


class Counting:
    """A core that counts what it has accepted; everything else is the core's own."""

    def __init__(self, core: Core, meter: Meter) -> None:
        self._core, self._meter = core, meter

    def accept(self, messages: list[Incoming], arrival: int) -> Counts:
        """See Core."""
        counts = self._core.accept(messages, arrival)
        self._meter.count(len(messages))
        return counts

    def __getattr__(self, name: str) -> object:
        return getattr(self._core, name)


def _ready(link: Link) -> None:
    while not link.connected:
        link.receive(0.1)
    link.receive(0.3)
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    which, port_text, count, where, *rest = sys.argv[1:]
    if which == "nothing":
        figures = nothing(int(port_text), int(count))
    else:
        figures = gateway(int(port_text), int(count), Path(where), full="off" not in rest)
    sys.stdout.write(json.dumps(figures) + "\n")
