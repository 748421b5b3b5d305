"""Sends records from the ring to the broker: several in a message, several messages in flight, freed only by ack."""

import asyncio

from micropython import const

from .. import lazy
from . import record, senml

_PAYLOAD_MAX = const(700)


class Uplink:
    """Sends pending records, oldest first, and resends records on request.

    While the clock is not set, records wait for up to `time_wait_ms` after the first connection.
    """

    def __init__(self, board, ring, clock, client, topic, batch, time_wait_ms):
        self.board = board
        self.ring = ring
        self.clock = clock
        self.client = client
        self.topic = topic
        self.batch = batch
        self.time_wait_ms = time_wait_ms
        self._began = None
        self.next = ring.first
        self.delivered = 0
        self.beat = lambda: None
        self._requested = []
        self._before = {clock.line: 0}
        self._new = asyncio.Event()

    def wake(self):
        """Let `run` look for pending records."""
        self._new.set()

    def resend(self, first, last):
        """Send these record numbers once more, acknowledged or not."""
        self._requested.append((first, last, True))
        self.wake()

    async def run(self):
        """Send forever."""
        while True:
            self.beat()
            span = self._next_span()
            if span is None:
                self._new.clear()
                await self._new.wait()  # the supervisor sets the event too, so that this task can beat
                continue
            await self.client.publish(
                self.topic, lambda s=span: self._message(s), lambda s=span: self._acked(s), False, self.beat
            )

    # ---- choosing ----

    def _next_span(self):
        """Return the next (first, last, also acknowledged ones), records that may share a message."""
        if self._requested:
            first, last, _ = self._requested.pop(0)
            end = self._extent(first, last, True)
            if end < last:
                self._requested.insert(0, (end + 1, last, True))
            return first, end, True
        number = max(self.next, self.ring.first, self.ring.cursor)
        while number < self.ring.next and not self.ring.pending(number):
            number += 1
        self.next = number
        if number >= self.ring.next or self._too_early(number):
            return None
        self.next = self._extent(number, self.ring.next - 1, False) + 1
        return number, self.next - 1, False

    def _too_early(self, number):
        """Whether to wait for the time: without it a record is dated by its arrival, which a slow broker delays."""
        if self.clock.synced or not self.time_wait_ms:
            return False
        rec = self._record(number, False)
        if rec is None or self.clock.resolve(rec)[1] == 2:
            return False
        if self._began is None and self.client.online:
            self._began = self.board.ticks_ms()
        return self._began is None or self.board.ticks_ms() - self._began < self.time_wait_ms

    def _extent(self, first, last, every):
        """The last record number that fits a message and has the same kind of time as the first."""
        kind, size, number = -1, 0, first
        while number <= last and number < first + self.batch:
            rec = self._record(number, every)
            if rec is not None:
                size += 60 + sum([45 if len(value) == 3 else 85 for value in rec.values])
                this = 0 if self._time(rec)[0] else rec.line
                if kind not in (-1, this) or size > _PAYLOAD_MAX and number > first:
                    break
                kind = this
            number += 1
        return max(number - 1, first)

    def _record(self, number, every):
        if not every and not self.ring.pending(number):
            return None
        payload = self.ring.read(number)
        try:
            return record.decode(payload) if payload else None
        except (IndexError, ValueError):
            return None

    # ---- sending ----

    def _message(self, span):
        first, last, every = span
        records, times = [], []
        for number in range(first, last + 1):
            rec = self._record(number, every)
            if rec is not None:
                # The first of a boot names the last of the boot before: records of that boot that a broker lost are
                # found by it.
                before = None if rec.seq else self.ring.read(number - 1)
                records.append(rec)
                times.append(self._time(rec) + (record.identity(before) if before else None,))
        if not records:
            return None
        sent = None if times[0][0] else self.clock.tenths() + self._behind(records[0].line)
        return senml.message(records, times, sent)

    def _acked(self, span):
        self.delivered += 1
        for number in range(span[0], span[1] + 1):
            self.ring.ack(number)

    def _time(self, rec):
        """Return the unix time of a record in tenths, and its quality: 2 confirmed, 1 estimated, 0 left to the gateway.

        A boot of unknown time is placed as if the power had come back immediately after it.
        """
        clock = self.clock
        time, quality = clock.resolve(rec)
        if time or rec.line == clock.line:
            return time, quality
        time = clock.unix(clock.line, rec.up - self._behind(rec.line))
        return time, 1 if time else 0

    def _behind(self, line):
        """Tenths of uptime from the start of a boot to the start of ours."""
        if line not in self._before:
            self._before[line] = lazy.load("records.boots").between(self.ring, line, self.clock.line)
            lazy.unload("records.boots")
        return self._before[line]
