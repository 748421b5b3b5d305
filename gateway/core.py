"""What the gateway does with messages and windows, without any network: `accept`, `pending`, `sent`.

Three outcomes for a message, decided here: stored; rejected (kept with its reason, then acknowledged); unavailable
(the buffer cannot write: nothing is acknowledged, the caller retries). Anything else is a bug and crashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from adapters.sqlite.buffer import NUMBERED, Buffer, Dirty
from adapters.sqlite.outbox import USUAL, Turn
from adapters.sqlite.rejects import Reject, RejectedMessage
from gateway.batch import Batch, describe_flags
from gateway.decoding.decoded import Asks, Decoded, Line, check_records, full_device
from gateway.decoding.reject_kinds import kinds_of
from gateway.identity import PLACES, with_keys
from gateway.incoming import Counts, Incoming, Redelivered
from gateway.ledger import Ledger
from gateway.outbox import NumberedWindows, carriers, window_messages
from gateway.pacing import Cadence
from gateway.plausible import NOTHING, Registered, shortened, without_time
from gateway.privacy import opened
from gateway.rejecting import Problem, rejected_message
from gateway.routes import ALL, NotServed, Route, Routes, Served, Share, Source
from gateway.senders.budget import OLD, OLD_AT_ONCE, OLD_WEIGHT, REJECTS, Budget
from gateway.senders.named import CHANNELS, OTHERS, Named, OverShare
from gateway.senders.not_served import NotServedNames
from gateway.senders.unasked import Unasked
from gateway.shortest import ShortestWay
from gateway.stamping import Stamping
from telemetry.errors import Rejected, Unavailable
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import BoolArray, IntArray
from telemetry.windows import HOUR, window_start

__all__ = ["RETAINED", "Core", "Counts", "Incoming", "Source"]

_COUNTERS = tuple(f"gw_{name}" for name in (*Counts._fields, "not_served", "unasked", "ledger_passed_over"))
_MOST_ASKS = 1000
_ROWS = 200_000  # rows that are committed together
RETAINED = "a retained message without a time of its own cannot be dated"


class Core:
    """One gateway: its buffer and its sources."""

    def __init__(
        self,
        buffer: Buffer,
        sources: Sequence[Source],
        max_payload: int = 256 << 10,
        served: Served | None = None,
        registered: Registered = NOTHING,
        share: Share = ALL,
        open_windows: bool = True,
    ) -> None:
        """`served`: the cities, and of each the devices (none: all), that messages may name; None: any.

        `registered`: plausible ranges and powers from the city files. `share`: which devices at the brokers it takes.
        `open_windows`: whether those of slow, regular devices are sent before they close.
        """
        self.buffer = buffer
        self.ledger = Ledger(buffer.ledger)
        self.sources = list(sources)
        self.routes = Routes(sources, served, (series.city for series in buffer.table.all), share)
        self._max_payload = max_payload
        self._secret = next((s.options.secret for s in sources), b"")
        self._batch = Batch(buffer.table, registered)
        self._stamping = Stamping(buffer, self.ledger, self._batch)
        self._arrivals = self._noted = buffer.last_arrival()  # the largest number, and the largest that is on disk
        self.not_served = ""  # the last message that was not served here, as a sentence
        self._unserved = 0  # such messages in the batch
        self._kinds: dict[str, int] = {}  # of the batch's rejects
        self._absent = NotServedNames(buffer.counters())
        self.unasked = Unasked()
        self.asks: dict[str, bytes] = {}  # topic -> payload of requests to senders
        self._budget = Budget()
        self._named = Named(buffer.table.all, registered.listed)
        self._redelivered = Redelivered(buffer.deliveries)
        self.cadence = Cadence(buffer.table, buffer.width, open_windows)
        parts = buffer, self._batch, self.routes, self._named, self._budget, self.ledger, self._redelivered
        self._shortest = ShortestWay(*parts, self.unasked, max_payload)

    def accept(self, messages: Sequence[Incoming], arrival: int, kept: bool = False) -> Counts:
        """Store a batch of messages; on return it is on disk. `arrival`: ms UTC. Raises Unavailable: nothing is.

        `kept`: they were rejected before, in whole or in part, and are processed a second time.
        """
        done, counts = self._accept_some(messages, arrival, kept)
        while done < len(messages):
            more, others = self._accept_some(messages[done:], arrival, kept)
            done, counts = done + more, Counts(*map(sum, zip(counts, others, strict=True)))
        return counts

    def _accept_some(self, messages: Sequence[Incoming], arrival: int, kept: bool) -> tuple[int, Counts]:
        """Store the first messages, as many as make _ROWS rows: a small message may hold months of sessions."""
        problems: list[Problem] = []
        self._batch.clear()
        self._stamping.begin()
        self._shortest.begin()
        self._unserved, done, usual = 0, 0, self._shortest.usual
        try:
            while done < len(messages) and len(self._batch) < _ROWS:
                message = messages[done]
                if not kept and message.address not in usual:
                    done, self._arrivals = self._shortest.add(messages, done, arrival, self._arrivals, _ROWS)
                    if done == len(messages) or len(self._batch) >= _ROWS:
                        break
                    message = messages[done]
                problem = self._decode_into_batch(message, message.arrival or arrival, done, kept)
                if problem:
                    problems.append(problem)
                done += 1
        except Unavailable:
            self._forget()
            raise
        readings, source = self._batch.readings()
        if not kept and np.count_nonzero(old := readings.t < arrival - OLD):
            self._charge_old(messages, source[old], arrival)
        rejected = sum(len(p.reasons) for p in problems) + self._unserved
        self._kinds = kinds_of(reason for p in problems for reason in p.reasons) if problems else {}
        rejects = self._rejects(messages, problems, readings, source, arrival)
        lines = self._batch.lines[self._stamping.counted :]
        repeated, arrived = self._stamping.repeated, self._batch.arrived(readings, source)
        return done, self.store(readings, rejects, done, rejected, lines, arrival, repeated, arrived=arrived)

    def _charge_old(self, messages: Sequence[Incoming], source: IntArray, arrival: int) -> None:
        """Count old readings more; `source`: the places of their messages."""
        for place, count in Counter(source.tolist()).items():
            if not messages[place].bulk:
                route = self.routes.find(messages[place].address)
                self._budget.of((route.city, route.sender), arrival).readings -= (OLD_WEIGHT - 1) * count

    def store(
        self,
        readings: Readings,
        rejects: Sequence[RejectedMessage],
        received: int,
        rejected: int,
        lines: Sequence[Line] = (),
        arrival: int = 0,
        repeated: int = 0,
        sent: BoolArray | None = None,
        arrived: BoolArray | None = None,
    ) -> Counts:
        """Commit all of it together. `repeated`: readings that came before; `sent`, `arrived`: see `Buffer.put`."""
        readings, too_old = self._within_retention(readings)
        flagged = int(np.count_nonzero(readings.flag))
        try:
            with self.buffer.transaction():
                stored = self.buffer.put(readings, None if too_old else sent, None if too_old else arrived)
                self._clear_shortened_sessions(readings, arrival)
                self.buffer.rejects.add(rejects)
                self.ledger.store(lines, arrival)
                if self._arrivals > self._noted:
                    self.buffer.note_arrival(self._arrivals)
                counts = Counts(received, stored, len(readings) - stored + repeated, flagged, rejected + too_old)
                amounts = (*counts, self._unserved, self.unasked.new, self.ledger.passed_over)
                counted = zip(_COUNTERS, amounts, strict=True)
                self.buffer.count({name: n for name, n in counted if n} | self._kinds | self._absent.new)
                self._redelivered.save()
        except Unavailable:
            self.buffer.discard_unsaved_series()
            self._forget()
            raise
        self._noted, self.ledger.passed_over = self._arrivals, 0
        for part in self._absent, self._redelivered, self.unasked:
            part.saved()
        self.cadence.note(readings)
        return counts

    def _forget(self) -> None:
        """What was noted of a batch that could not be stored."""
        for part in self.ledger, self._redelivered, self._absent, self.unasked:
            part.forget()

    def _clear_shortened_sessions(self, readings: Readings, arrival: int) -> None:
        """Set connected time to 0 after the end of a session that was sent a second time with an earlier end."""
        ends = [
            (series, key, window_start(last, HOUR) + HOUR)
            for series, key, last in shortened(readings, self.buffer.table)
        ]
        for series, key, end in self.buffer.among_stored(ends):
            t, late = end, list[int]()
            while key in self.buffer.values_at(series, t):
                late.append(t)
                t += HOUR
            if late:
                same = np.full(len(late), series), np.array(late), np.full(len(late), key)
                self.buffer.put(without_time(*same, arrival or int(readings.arrival.max())))

    def _within_retention(self, readings: Readings) -> tuple[Readings, int]:
        """Leave out readings of windows whose other readings are gone: folding those would lose them downstream."""
        floor = self.buffer.pruned_before
        if not floor:
            return readings, 0
        keep = window_start(readings.t, self.buffer.width) >= floor
        return (readings, 0) if keep.all() else (readings.take(np.flatnonzero(keep)), int((~keep).sum()))

    def _decode_into_batch(self, message: Incoming, arrival: int, place: int, kept: bool) -> Problem | None:
        """Decode one message into the batch; returns its problems."""
        route, before = None, self._redelivered.readings(message)
        try:
            route = self.routes.find(message.address)
            if len(message.payload) > self._max_payload:
                raise Rejected(f"payload of {len(message.payload)} bytes; the limit is {self._max_payload}")
            parts = self._decoded_within_budget(message, route, arrival, kept)
        except (NotServed, OverShare) as reason:
            self._note_not_served(reason)
            return None
        except Rejected as reason:
            if isinstance(reason, Asks) and len(self.asks) < _MOST_ASKS:
                self.asks[reason.topic] = reason.payload
            if self._came_before(message, before, 0):
                return None
            return Problem(place, [str(reason)], route, message.number or self._next_arrival())
        met: list[str] = []
        number = message.number
        undated = [rows for rows in parts if rows.by_arrival or rows.problems]
        if undated and self._came_before(message, before, sum(len(rows.rows) for rows in parts)):
            return None
        for rows in parts:
            found, number = self._add(message, route, rows, arrival, place, kept, number)
            met += found
        return Problem(place, met, route, number or self._next_arrival()) if met else None

    def _came_before(self, message: Incoming, before: int | None, readings: int) -> bool:
        """Whether its broker redelivers this message, which had this many readings `before`; else it is noted."""
        if before is None:
            self._redelivered.note(message, readings)
            return False
        self._stamping.repeated += before
        return True

    def _decoded_within_budget(self, message: Incoming, route: Route, arrival: int, kept: bool) -> list[Decoded]:
        """A message's rows. Raises Rejected, before it is decoded, for a sender over its budget."""
        if kept or message.bulk:
            return self._decoded(message, route, arrival)
        allowance = self._budget.of((route.city, route.sender), arrival)
        if why := allowance.rejects_next(route.paced):
            raise Rejected(why)
        parts = self._decoded(message, route, arrival)
        for rows in parts:
            allowance.readings -= len(rows.rows)
        return parts

    def _note_not_served(self, reason: NotServed | OverShare) -> None:
        self.not_served, self._unserved = str(reason), self._unserved + 1
        if isinstance(reason, NotServed):
            self._absent.note(reason.name)

    def _decoded(self, message: Incoming, route: Route, arrival: int) -> list[Decoded]:
        """A message's rows, of each device by themselves. Raises Rejected."""
        first = route.decode(message.payload, arrival, route.options)
        parts = self.routes.mine(route, [first, *first.more] if first.more else [first])
        for rows in parts:
            check_records(rows)
            if rows.device is None:
                if self.buffer.held.full:
                    self._check_share(route, rows)
            else:
                rows.device = full_device(rows.device, route.device)
            if self.buffer.pruned_before:
                self._drop_pruned(rows)
        if message.retain and route.options.retained != "take" and any(rows.by_arrival for rows in parts):
            if route.options.retained == "skip":
                return []
            raise Rejected(RETAINED)
        return parts

    def _add(
        self, message: Incoming, route: Route, rows: Decoded, arrival: int, place: int, kept: bool, number: int
    ) -> tuple[list[str], int]:
        """Put the rows of one device into the batch; its problems, and the arrival's number where it has one."""
        if rows.device is not None:
            most, route = CHANNELS if route.device else OTHERS, route._replace(device=rows.device)
            try:
                self.routes.check_served(route.city, rows.device)
                if not self._named.allows(route.city, rows.device, route.sender, most):
                    raise OverShare(f"'{route.sender}' of '{route.city}' names more than {most} devices")
                self._check_share(route, rows)
            except (NotServed, OverShare) as reason:
                self._note_not_served(reason)
                return [], number
        met = self.unasked.note(message.address, route, rows.unasked) if rows.unasked else []
        if kept or rows.by_arrival:
            number = number or self._next_arrival()
            rows.rows = with_keys(rows.rows, rows.records, number)
            return met + self._stamping.add(route, rows, arrival, place, kept, bool(message.number)), number
        return met + self._stamping.add_dated(route, rows, arrival, place), number

    def _next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals

    @property
    def cities(self) -> list[str]:
        """The cities that are served."""
        return self.routes.cities

    def dates(self, message: Incoming, arrival: int) -> bool:
        """Whether a message is dated by its arrival; False also where it cannot be read."""
        try:
            route = self.routes.find(message.address)
            return len(message.payload) <= self._max_payload and any(
                rows.by_arrival for rows in self._decoded(message, route, arrival)
            )
        except Rejected:
            return False

    def _check_share(self, route: Route, rows: Decoded) -> None:
        """Raise OverShare where the device has used its share of the buffer, so that other devices keep room."""
        if rows.rows and (route.city, route.device) in self.buffer.held.full:
            raise OverShare(f"device '{route.device}' of '{route.city}' has used its share of the buffer")

    def _drop_pruned(self, rows: Decoded) -> None:
        """Leave out readings whose windows have lost their other readings, a problem each."""
        floor = self.buffer.pruned_before
        if any(row[3] < floor for row in rows.rows):
            kept = [row for row in rows.rows if row[3] >= floor]
            why = "reading older than what this gateway still holds: its window cannot be folded any more"
            rows.problems += [why] * (len(rows.rows) - len(kept))
            rows.rows = kept

    def _rejects(
        self,
        messages: Sequence[Incoming],
        problems: list[Problem],
        readings: Readings,
        source: IntArray,
        arrival: int,
    ) -> list[RejectedMessage]:
        """One entry per message with a problem, its reasons joined; beyond the budget of its sender it is counted."""
        flagged = readings.flag.nonzero()[0].tolist()
        if not problems and not flagged:
            return []
        met = {p.place: p._replace(reasons=list(p.reasons)) for p in problems}
        for row in flagged:
            place = int(source[row])
            if place not in met:
                number = messages[place].number or self._number_of(int(readings.key[row]))
                met[place] = Problem(place, [], self.routes.find(messages[place].address), number)
            met[place].reasons.extend(describe_flags(readings, [row], self.buffer.table))
        return [
            rejected_message(messages[n], problem, arrival, self._secret)
            for n, problem in sorted(met.items())
            if messages[n].number or self._may_be_kept(problem.route, messages[n].arrival or arrival)
        ]

    def _may_be_kept(self, route: Route | None, arrival: int) -> bool:
        """Whether another reject of this sender is stored; else the message is counted like those not served."""
        city, sender = (route.city, route.sender) if route else ("", "")
        allowance = self._budget.of((city, sender), arrival)
        if allowance.rejects < 1:
            who = f"'{sender}' of '{city}' has" if route else "senders without a source have"
            self.not_served = f"{who} sent more than {REJECTS.burst} messages that were rejected"
            self._unserved += 1
            return False
        allowance.rejects -= 1
        return True

    def _number_of(self, key: int) -> int:
        """The number of the arrival of which a reading has this key; a new one where it has none."""
        return key // PLACES if PLACES <= key < NUMBERED else self._next_arrival()

    def original(self, kept: Reject) -> Incoming:
        """A kept message as it came. Raises Rejected where it was encrypted under another key."""
        return Incoming(kept.topic, opened(kept.payload, self._secret), kept.at, RETAINED in kept.reason, kept.number)

    def pending(
        self, limit: int = 5000, *, newest_first: bool = True, city: str | None = None, now: int = 0, turn: Turn = USUAL
    ) -> tuple[Dirty, Partials]:
        """Windows that changed since they were last acknowledged, of one city or of all, and their partials.

        `now` (ms): of old windows OLD_AT_ONCE: ingest reads the hour of each, and live ones wait.
        """
        floor, few = now - OLD if now and self.buffer.has_dirty_before(now - OLD) else 0, min(limit, OLD_AT_ONCE)
        dirty, readings = self.buffer.dirty(limit, newest_first=newest_first, city=city, since=floor, turn=turn)
        if floor and len(dirty.window) < few:
            dirty, readings = self.buffer.dirty(few, newest_first=newest_first, city=city, turn=turn)
        return dirty, fold(readings, self.buffer.width, self.buffer.table.modulus(readings.series))

    def assign_messages(self, dirty: Dirty, partials: Partials, now: int = 0) -> list[NumberedWindows]:
        """The messages that are to carry these windows; noted on disk before they leave.

        Their numbers only grow, also with a new buffer file, because they are never below the time (`now`, ms).
        """
        sent = window_messages(partials, self.buffer.table, max(self.buffer.last_message(), now))
        if sent:
            self.buffer.assign_messages(dirty, carriers(dirty, sent))
        return sent

    def confirm(self, dirty: Dirty) -> None:
        """Mark these windows as stored by the central broker's side."""
        self.buffer.confirm(dirty)
