"""The running gateway: one thread, two links, one buffer.

    source link --take--> core.accept (commit) --ack-->        every flush: core.pending --publish--> uplink
                                                               all PUBACKs in: core.sent clears the dirty marks

A crash between any two steps means the same messages or the same windows again, which changes nothing.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from adapters.buffer import Dirty
from adapters.mqtt import Link, wait
from gateway.core import Core, Incoming
from telemetry.errors import Unavailable
from telemetry.partials import Partials
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.topics import windows_topic
from telemetry.windows import DAY, HOUR
from telemetry.wire import encode

log = logging.getLogger(__name__)

_PER_MESSAGE = 2000  # windows in one message: about 300 kB
_FLIGHT = 20_000  # windows sent before the hub must have acknowledged them
_HEALTH_MS = 10_000
_SILENT_MS = 60_000  # an uplink that acknowledges nothing for this long is given up and made anew


@dataclass(slots=True)
class _Flight:
    """Windows that were published and are not acknowledged yet."""

    dirty: Dirty
    mids: set[int]
    since: int


@dataclass(slots=True)
class Gateway:
    """`clock`: ms UTC. `flush_ms`: how often changed windows are sent. `keep_ms`: how long raw readings are kept."""

    id: str
    core: Core
    source: Link
    uplink: Link
    clock: Callable[[], int]
    flush_ms: int = 1000
    keep_ms: int = 30 * DAY
    max_buffer_bytes: int = 4 << 30
    _flight: _Flight | None = None
    _next_flush: int = 0
    _next_health: int = 0
    _next_prune: int = 0
    _pause_until: int = 0
    _failures: int = 0
    _told: str = field(default="")

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop` says so; then leave everything on disk and disconnect."""
        while not stop():
            self.step()
        self.source.close()
        self.uplink.close()

    def step(self, timeout: float | None = None) -> None:
        """One round: receive and store what is there, send what is due."""
        due = max(self._next_flush - self.clock(), 0) / 1000 if self._flight is None else 0.2
        wait(
            [self.uplink] if self._paused() else [self.source, self.uplink],
            min(due, 0.2) if timeout is None else timeout,
        )
        if not self._paused():
            self._receive()
        self._landed()
        now = self.clock()
        if now >= self._next_flush:
            self._next_flush = now + self.flush_ms
            self._housekeeping(now)
            self._send(now)

    def _paused(self) -> bool:
        return self.clock() < self._pause_until

    def _receive(self) -> None:
        batch = self.source.take()
        if not batch:
            return
        try:
            self.core.accept([Incoming(m.topic, m.payload, m.retain) for m in batch], self.clock())
        except Unavailable as error:
            self._back_off(str(error))
            return
        self._tell("")
        self._failures = 0
        self.source.ack(batch)

    def _back_off(self, why: str) -> None:
        """Acknowledge nothing, let the broker keep it, try again after a jittered pause."""
        self._tell(f"nothing is acknowledged: {why}")
        self._failures += 1
        self.source.drop()
        self._pause_until = self.clock() + round(random.uniform(0.2, min(0.5 * 2**self._failures, 30.0)) * 1000)

    def _tell(self, sentence: str) -> None:
        """One log line per change of state."""
        if sentence != self._told:
            log.warning(sentence or "storing again")
            self._told = sentence

    # -- uplink ------------------------------------------------------------------------------------------------------

    def _landed(self) -> None:
        """Clear dirty marks once every message of the flight is acknowledged."""
        delivered = self.uplink.delivered()
        if self._flight is None:
            return
        self._flight.mids.difference_update(delivered)
        if not self._flight.mids:
            flight, self._flight = self._flight, None
            if len(flight.dirty.window) >= _FLIGHT:
                self._next_flush = 0  # a backlog does not wait for the next tick
            try:
                self.core.sent(flight.dirty)
            except Unavailable as error:
                self._tell(f"dirty marks stay: {error}")
        elif self.uplink.connected and self.clock() - self._flight.since > _SILENT_MS:
            log.warning("the hub's broker acknowledges nothing; connecting anew")
            self._flight.since = self.clock()
            self.uplink.drop()

    def _send(self, now: int) -> None:
        if self._flight is not None or not self.uplink.connected:
            return
        dirty, partials = self.core.pending(_FLIGHT)
        if len(dirty.window):
            self._flight = _Flight(dirty, self._publish(partials), now)
            self.uplink.step()

    def _publish(self, partials: Partials) -> set[int]:
        """Publish partials, a message per city and 2000 windows."""
        table = self.core.buffer.table
        cities = np.array([s.city for s in table.all])
        place = cities[partials.series] if len(partials) else cities[:0]
        mids = set()
        for city in np.unique(place).tolist():
            mine = partials.take(place == city)
            topic = windows_topic(city, self.id)
            for start in range(0, len(mine), _PER_MESSAGE):
                payload = encode(city, self.core.buffer.width, mine.take(slice(start, start + _PER_MESSAGE)), table)
                mids.add(self.uplink.publish(topic, payload))
        return mids

    # -- housekeeping --------------------------------------------------------------------------------------------------

    def _housekeeping(self, now: int) -> None:
        try:
            if now >= self._next_health:
                self._next_health = now + _HEALTH_MS
                self.core.buffer.put(self._health(now))
            if now >= self._next_prune:
                self._next_prune = now + HOUR
                self.core.buffer.prune(now - self.keep_ms, self.max_buffer_bytes)
        except Unavailable as error:
            self.core.buffer.forget_unsaved()
            self._tell(f"housekeeping waits: {error}")

    def _health(self, now: int) -> Readings:
        """The gateway's counters and backlog, as ordinary readings of every city it serves."""
        buffer = self.core.buffer
        counters = buffer.counters()
        waiting, oldest = buffer.backlog()
        values = {name: float(counters.get(name, 0)) for name in
                  ("gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_flagged")}  # fmt: skip
        values |= {"gw_dirty": float(waiting), "gw_lag": max(now - oldest, 0) / 1000 if oldest else 0.0}
        cities = sorted({s.city for s in buffer.table.all})
        ids = [buffer.table.id_of(Series(city, self.id, name)) for city in cities for name in values]
        return Readings.of(ids, [now] * len(ids), list(values.values()) * len(cities))
