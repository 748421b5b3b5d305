"""The running gateway: one thread, two links, one buffer.

    source link --take--> core.accept (commit) --ack-->        every flush: core.pending --publish--> uplink
    source link <--resend commands-- ledger                    receipt of ingest: the windows are confirmed

A crash between any two steps means the same messages or the same windows again, which changes nothing. The broker's
PUBACK only paces the sending: a broker can lose what it has acknowledged, so a window stays dirty until ingest has
stored it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from adapters.mqtt.gathering import Gathering, Holding
from adapters.mqtt.link import Link, Message, wait
from adapters.sqlite.connection import Damaged
from gateway.core import Core
from gateway.doors.inbox import Inbox
from gateway.doors.mqtt import incoming
from gateway.health import health, ledger_report
from gateway.outbox import Flight, NumberedWindows
from gateway.pacing import LONGEST_FLUSH_MS, LargeWindows, pause_ms
from gateway.senders.budget import OLD_AT_ONCE
from telemetry.errors import Unavailable
from telemetry.topics import command_topic, windows_topic
from telemetry.windows import DAY, HOUR, is_due
from telemetry.wire import encode

log = logging.getLogger(__name__)

_receipt = msgspec.json.Decoder(list[Annotated[int, msgspec.Meta(ge=1, lt=2**53)]])

_RECEIVING, _SENDING, _HOUSEKEEPING = "nothing is acknowledged", "nothing is sent", "housekeeping waits"
_FLIGHT = 20_000  # windows sent before the hub must have acknowledged them
_LEDGER_MS = 600_000  # how often the ledger of every device that sends is reported
_PRUNE_MS = 60_000
_ASK_MS = 10_000
_MOST_ASKED = 10_000
_LONGEST_PAUSE = 30_000
_LONGEST_WAIT, _RETRY_WAIT = 1000, 200  # ms, with both connections and without
_SILENT_MS = 60_000  # an uplink that acknowledges nothing for this long is closed and connected a second time


@dataclass(slots=True)
class Gateway:
    """`clock`: ms UTC. `flush_ms`: how often changed windows are sent. `keep_ms`: how long raw readings are kept.

    `health_ms`: how often it stores its own counts, whose windows are its heartbeat. `machine`: what it reports of the
    machine beside them.
    """

    id: str
    core: Core
    source: Link
    uplink: Link
    clock: Callable[[], int]
    flush_ms: int = 1000
    keep_ms: int = 30 * DAY
    max_buffer_bytes: int = 4 << 30
    silent_ms: int = 300_000
    health_ms: int = 10_000
    machine: Callable[[], Mapping[str, float]] = dict
    inbox: Inbox = field(default_factory=Inbox)
    _gathering: Gathering = field(init=False)
    _holding: Holding = field(init=False)
    _large: LargeWindows = field(default_factory=LargeWindows)
    _flight: Flight | None = None
    _next_flush: int = 0
    _next_first: int = 0
    _last_flush: int = 0
    _idle: int = 0  # ms that the gateway waited for messages since the last flush
    _next_health: int = 0
    _next_prune: int = 0
    _next_ledger: int = 0
    _next_not_served: int = 0
    _source_epoch: int = 0
    _asked: dict[str, int] = field(default_factory=dict)
    _pause_until: int = 0
    _failures: int = 0
    _heard: int = 0
    _passed: int = 0  # messages of other gateways' devices
    _kept_from: int | None = None
    _troubles: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Messages in flight when the last run ended may not have arrived."""
        self._gathering, self._holding = Gathering(self.source), Holding(self.source)
        self.core.buffer.requeue_unconfirmed()

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop` returns True; then disconnect with everything on disk."""
        while not stop():
            self.step()
        if not self._paused():
            self._receive()
        self.source.close()
        self.uplink.close()

    def abort(self) -> None:
        """Disconnect without acknowledging anything: the buffer cannot be used any more."""
        self.source.abort()
        self.uplink.abort()
        self.core.buffer.close()

    def step(self, timeout: float | None = None) -> None:
        """One round: receive and store what is there, send what is due."""
        begun, paused = self.clock(), self._paused()
        if self.source.held and not paused and self.source.is_quiet and self.uplink.is_quiet:
            self._holding.collect(self._next_send(), self.clock, [self.uplink, self.inbox])
        wait(
            [self.uplink] if paused else [self.source, self.uplink],
            self._until_due(self.clock()) if timeout is None else timeout,
            also=[self.inbox],
        )
        now = self.clock()
        self._idle += max(now - begun, 0)
        holds = not self._paused() and self._holds(now)
        if not (holds or self._paused()):
            self._gathering.wait([self.inbox])
            self._receive()
        self._receive_from_doors()
        self._process_receipts()
        if not holds:  # else nothing is due before those are taken
            self._send_due(self.clock())
        self.inbox.due = self._next_send()

    def _send_due(self, now: int) -> None:
        if is_due(self._next_flush, now, max(self.flush_ms, LONGEST_FLUSH_MS)):
            self._flush(now)
        elif is_due(self._next_first, now, self.flush_ms):
            self._send_first(now)

    def _next_send(self) -> int:
        """When windows are sent next, ms UTC, as far as it is known: what is committed before it leaves no later."""
        flush = max(self._next_flush, self.core.cadence.due)
        return min(flush, self._next_first) if self.core.cadence.turns.first else flush

    def _until_due(self, now: int) -> float:
        """Seconds until there is something to do although nothing arrives. `now`: ms UTC."""
        most = _LONGEST_WAIT if self.source.connected and self.uplink.connected and not self._paused() else _RETRY_WAIT
        flush = self._next_send() if self.source.held else min(self._next_flush, self._next_first)
        return min(max(min(flush, self._holding.until()) - now, 0), most) / 1000

    def _holds(self, now: int) -> bool:
        """Whether received messages wait for the next flush, of which they are part either way. `now`: ms UTC."""
        holds = self._holding.holds(now)  # also notes what has arrived
        return holds and not self.inbox.waiting and now < self._next_send()

    def _flush(self, now: int) -> None:
        """Send changed windows, and decide when to do so next. `now`: ms UTC."""
        idle = 2 * self._idle >= now - self._last_flush
        self._last_flush, self._idle, self._next_flush = now, 0, now + self.flush_ms
        self._next_first = self._next_flush
        self._housekeeping(now)
        begun = self.clock()
        share = self._send(now)  # reading large windows is paced by their own waits
        self._next_flush = max(self._next_flush, now + pause_ms(round(share * (self.clock() - begun)), idle))

    def _receive(self) -> None:
        batch = self.source.received()
        if not batch:
            self._reconnect_silent_source()
            return
        try:
            self.core.accept(incoming(batch, self._holding.taken(self.clock())), self.clock())
        except Unavailable as error:
            self._log_trouble(_RECEIVING, error)
            self._back_off()
            return
        self._log_recovery(_RECEIVING, "storing again")
        self._failures, self._heard = 0, self.clock()
        self.source.ack(batch)
        self._ask(self.clock())
        self._log_not_served()

    def _ask(self, now: int) -> None:
        """Request what messages cannot be read without, each at most once in ten seconds. `now`: ms."""
        for topic, payload in self.core.asks.items():
            if is_due(self._asked.get(topic, 0), now, _ASK_MS):
                self._asked[topic] = now + _ASK_MS
                self.source.publish(topic, payload)
        self.core.asks.clear()
        if len(self._asked) > _MOST_ASKED:
            self._asked.clear()

    def _receive_from_doors(self) -> None:
        """Commit the messages of the other doors, then answer them; while nothing can be stored, with False at once."""
        deliveries = self.inbox.take()
        if not deliveries:
            return
        if self._paused():
            self.inbox.answer(deliveries, False)
            return
        try:
            self.core.accept([m for d in deliveries for m in d.messages], self.clock())
        except Unavailable as error:
            self.inbox.answer(deliveries, False)
            self._log_trouble(_RECEIVING, error)
            self._back_off()
            return
        self._log_recovery(_RECEIVING, "storing again")
        self.inbox.answer(deliveries, True)
        self._log_not_served()

    def _log_not_served(self) -> None:
        """Log messages that were not served, at most once in ten minutes."""
        sentence, self.core.not_served = self.core.not_served, ""
        if sentence and is_due(self._next_not_served, self.clock(), _LEDGER_MS):
            self._next_not_served = self.clock() + _LEDGER_MS
            log.warning("%s; such messages are counted (gw_not_served) and not kept", sentence)

    def _reconnect_silent_source(self) -> None:
        """A broker that sends nothing for long though devices sent before may have lost the session: reconnect."""
        limit = self.silent_ms
        if self.source.passed != self._passed:
            self._passed, self._heard = self.source.passed, self.clock()
        if self._heard and not self.source.connected:
            self._heard = self.clock()  # the broker has its time once it is there
        if self._heard and self.source.connected and is_due(self._heard + limit, self.clock(), 2 * limit):
            log.warning("%s has sent nothing for %d s; reconnecting", self.source.broker, limit // 1000)
            self._heard = 0
            self.source.abort()

    def _paused(self) -> bool:
        return not is_due(self._pause_until, self.clock(), _LONGEST_PAUSE)

    def _back_off(self) -> None:
        """Acknowledge nothing, so that the broker keeps it, and retry after a jittered pause."""
        self._failures += 1
        self.source.abort()
        longest = min(500 << min(self._failures, 16), _LONGEST_PAUSE)
        self._pause_until = self.clock() + round(random.uniform(200, longest))

    def _log_trouble(self, what: str, error: Unavailable) -> None:
        """Log a failure once. A damaged file is raised to the caller of `run`: waiting does not repair it."""
        if isinstance(error, Damaged):
            raise error
        if what not in self._troubles:
            log.warning("%s: %s", what, error)
        self._troubles[what] = str(error)

    def _log_recovery(self, what: str, sentence: str) -> None:
        """Log once that what could not be done is done."""
        if self._troubles.pop(what, None) is not None:
            log.warning(sentence)

    # -- uplink ------------------------------------------------------------------------------------------------------

    def _process_receipts(self) -> None:
        """Confirm the windows that are stored; end the flight when it is complete."""
        receipts = self.uplink.received()
        for message in receipts:
            self._stored(message)
        self.uplink.ack(receipts)
        answered = [*self.uplink.delivered(), *self.uplink.rejected()]  # either way the broker has no more to say
        if self._flight is None:
            return
        self._flight.mids.difference_update(answered)
        if self._flight.over(self.clock()):
            if self._flight.is_full:
                self._next_flush = 0  # a backlog does not wait for the next tick
                self.core.cadence.hurry()
            self._flight = None
        elif not self.uplink.connected:
            self._flight.since = self.clock()  # the broker has its time once it is there
        elif is_due(self._flight.since + _SILENT_MS, self.clock(), 2 * _SILENT_MS):
            log.warning("the central broker acknowledges nothing; reconnecting")
            self._flight.since = self.clock()
            self.uplink.abort()

    def _stored(self, message: Message) -> None:
        """One receipt: `[numbers]` of windows messages of the city in its topic."""
        try:
            numbers = _receipt.decode(message.payload)
            requeued = self.core.buffer.confirm_messages(message.topic.split("/")[2], numbers) if numbers else 0
        except (msgspec.DecodeError, IndexError) as error:
            log.warning("a receipt on %s cannot be read: %s", message.topic, error)
        except Unavailable as error:
            self._log_trouble("windows stay dirty", error)
        else:
            if self._flight:
                self._flight.numbers.difference_update(numbers)
            if requeued:
                self.core.cadence.hurry()
                # Sent before ingest listened, or lost between: nothing is lost for good, the buffer has them.
                log.info("%d windows that were sent earlier are not confirmed by ingest; sending them again", requeued)

    def _send(self, now: int) -> float:
        """Send what is due. Returns the share of the readings of this that is not in large windows."""
        if self._flight is not None or not self.uplink.connected or not self.core.cadence.is_due(now):
            self._send_first(now)
            return 1.0
        return self._send_windows(_FLIGHT, now)

    def _send_first(self, now: int) -> None:
        """Send windows of events although those before them are not stored or the pause is not over: they are few."""
        self._next_first = now + self.flush_ms
        first = self.core.cadence.turns.first
        acknowledged = self._flight is None or not self._flight.mids
        if first and acknowledged and self.uplink.connected:
            self._send_windows(len(first), now)

    def _send_windows(self, limit: int, now: int) -> float:
        """Send up to `limit` windows. Returns the share of their readings that is not in large ones."""
        cadence = self.core.cadence
        try:
            large = self._large.waiting(now)
            dirty, partials = self.core.pending(limit, now=now, turn=cadence.turns.turn(large))
            share = self._large.note(partials, now)
            if limit == _FLIGHT:
                cadence.sent(now, not large and len(dirty.window) < OLD_AT_ONCE)
                cadence.turns.sent(dirty, len(dirty.window) == limit, now)
            window_messages = self.core.assign_messages(dirty, partials, now)
            cadence.turns.first.clear()
        except Unavailable as error:
            self._log_trouble(_SENDING, error)
            return 1.0
        if window_messages:
            self._log_recovery(_SENDING, "sending again")
            self._publish(window_messages, len(dirty.window), now)
        return share

    def _publish(self, window_messages: list[NumberedWindows], windows: int, now: int) -> None:
        buffer = self.core.buffer
        mids = {
            self.uplink.publish(
                windows_topic(p.city, self.id), encode(p.city, buffer.width, p.partials, buffer.table, p.number)
            )
            for p in window_messages
        }
        if self._flight is None:
            self._flight = Flight(windows >= _FLIGHT, mids, {p.number for p in window_messages}, now)
        else:
            self._flight.mids |= mids
        self.uplink.step()

    # -- housekeeping --------------------------------------------------------------------------------------------------

    def _housekeeping(self, now: int) -> None:
        buffer = self.core.buffer
        try:
            self._request_missing(now)
            if is_due(self._next_health, now, self.health_ms):
                self._next_health = now + self.health_ms
                since = None
                if is_due(self._next_ledger, now, _LEDGER_MS):
                    since = min(self._next_ledger, now) - _LEDGER_MS  # the earlier one where the clock was set back
                    self._next_ledger = now + _LEDGER_MS
                buffer.put(health(buffer, self.id, now, self.core.cities, self.machine()))
                buffer.put(ledger_report(buffer.table, self.core.ledger.report(since), now))
                self.core.cadence.counted()
            if is_due(self._next_prune, now, _PRUNE_MS):
                self._next_prune = now + _PRUNE_MS
                buffer.save_held()
                if buffer.prune(self._horizon(now), self.max_buffer_bytes):
                    self.core.ledger.forget_undated(buffer.pruned_before)
        except Unavailable as error:
            buffer.discard_unsaved_series()
            self._next_ledger = 0  # the next report is a full one
            self._log_trouble(_HOUSEKEEPING, error)
        else:
            self._log_recovery(_HOUSEKEEPING, "housekeeping is done again")

    def _horizon(self, now: int) -> int:
        """Readings that arrived before this time may be removed, ms UTC.

        It moves by an hour a time at most: a clock that is years ahead for a moment must not empty the buffer, because
        further readings of today's windows would be rejected then.
        """
        if self._kept_from is None:
            newest = self.core.buffer.newest_window() or now
            self._kept_from = newest + DAY - self.keep_ms
        self._kept_from = min(now - self.keep_ms, self._kept_from + HOUR)
        return self._kept_from

    def _request_missing(self, now: int) -> None:
        """Request records that have not arrived."""
        if self.source.connected:
            if self.source.epoch != self._source_epoch:
                if self._source_epoch:
                    self.core.ledger.reconnected()
                self._source_epoch = self.source.epoch
            for request in self.core.ledger.requests(now):
                self.source.publish(command_topic(request.city, request.device), msgspec.json.encode(request.command))
            self.source.delivered()
