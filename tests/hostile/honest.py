"""The honest devices of a hostile run: a reading of each every five seconds, known by device, time and value."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import NamedTuple

from adapters.mqtt.link import Link, wait
from tests.hostile.attacks import CITY
from tests.hostile.world import HONEST, MINUTE

INTERVAL_S = 5.0


class Sent(NamedTuple):
    """A reading. `t`: ms UTC."""

    device: str
    t: int
    value: float


class Fleet:
    """All honest devices, over one connection: so their messages reach the gateway in the order of `sent`."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.sent: list[Sent] = []
        self._began = time.monotonic()
        self._open: dict[int, Sent] = {}
        self.acknowledged: set[Sent] = set()

    def step(self, timeout: float = 0.005, writing: bool = True) -> None:
        """Send what is due and note what the broker has acknowledged."""
        wait([self.link], timeout)
        for mid in self.link.delivered():
            if mid in self._open:
                self.acknowledged.add(self._open.pop(mid))
        due = int((time.monotonic() - self._began) / INTERVAL_S * HONEST)
        if len(self.sent) < due - 2000:  # the machine stood still: devices do not make that up
            self._began = time.monotonic() - len(self.sent) / HONEST * INTERVAL_S
        while writing and self.link.connected and len(self.sent) < due:
            self.send()

    def send(self) -> Sent:
        """The next reading."""
        number = len(self.sent)
        t = time.time_ns() // 1_000_000
        reading = Sent(f"h{number % HONEST}", t, 10 + number % 971 / 10)
        record = {"n": "no2", "u": "ug/m3", "v": reading.value, "bt": t / 1000}
        mid = self.link.publish(f"cv/1/{CITY}/{reading.device}/data", json.dumps([record]).encode())
        self._open[mid] = reading
        self.sent.append(reading)
        return reading

    @property
    def unacknowledged(self) -> int:
        """Messages the broker has not acknowledged."""
        return len(self._open)

    def behind_s(self, stored: int) -> float:
        """How old the reading is that comes after the first `stored` ones, s; 0 where all are stored."""
        return time.time() - self.sent[stored].t / 1000 if stored < len(self.sent) else 0.0

    def windows(self) -> dict[tuple[str, int], tuple[int, float]]:
        """Count and sum of the acknowledged readings, by device and window."""
        found: dict[tuple[str, int], list[float]] = defaultdict(list)
        for reading in self.acknowledged:
            found[reading.device, reading.t // MINUTE * MINUTE].append(reading.value)
        return {place: (len(values), sum(values)) for place, values in found.items()}
