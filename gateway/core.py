"""What the gateway does with messages and windows, without any network: `accept`, `pending`, `sent`.

Three outcomes for a message, decided here: stored; rejected (kept with its reason, then acknowledged); unavailable
(the buffer cannot write: nothing is acknowledged, the caller tries again). Anything else is a bug and crashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from adapters.sqlite.buffer import NUMBERED, Buffer, Dirty
from adapters.sqlite.rejects import Refused, Reject
from gateway.batch import Batch, describe_flags
from gateway.decoded import Decoded, Line, Row, SourceOptions, check_records
from gateway.formats import Decode, decoder, may_carry_users
from gateway.identity import PLACES, with_keys
from gateway.ledger import Ledger
from gateway.outbox import Parcel, carriers, parcels
from gateway.privacy import city_key, opened, reason_without_users, sealed, without_users
from telemetry.errors import Rejected, Unavailable
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.topics import matcher, subscription, valid_id
from telemetry.windows import window_start

_ROWS = 200_000  # rows that are committed together
_RENUMBERED = (
    "boot {} and seq {} came before with other values: these numbers do not identify a record. If they are not counts"
    " of records, list boot and seq under ignore of the source"
)
RETAINED = "a retained message without a time of its own says nothing about now"


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of device: where it publishes and in which format. `city` fills in where the topic names none."""

    topic: str
    format: str
    city: str | None = None
    options: SourceOptions = field(default_factory=SourceOptions)

    @property
    def filter(self) -> str:
        """The MQTT subscription."""
        return subscription(self.topic)


class Incoming(NamedTuple):
    """A message as every door hands it over. `address`: where it came in (an MQTT topic, the path of a request).

    `arrival`: ms UTC, 0 for that of the batch. `retain`: the broker kept it from an earlier time. `number`: of its
    arrival, where it came before (was refused and kept); 0 for a new message.
    """

    address: str
    payload: bytes
    arrival: int = 0
    retain: bool = False
    number: int = 0


class NotServed(Rejected):
    """The message names a city or device that is not configured here: it is counted and nothing of it is kept."""


class _Route(NamedTuple):
    """What is known of the messages of one address."""

    city: str
    device: str
    decode: Decode
    options: SourceOptions
    may_carry_users: bool = True


class _Problem(NamedTuple):
    """Why a message of the batch could not be used, or not wholly. `number`: of its arrival."""

    place: int
    reasons: list[str]
    route: _Route | None
    number: int


class Counts(NamedTuple):
    """What became of a batch: messages, and readings stored, seen before, flagged; messages kept as rejected."""

    received: int
    stored: int
    duplicate: int
    flagged: int
    rejected: int


class Core:
    """One gateway: its buffer and its sources."""

    def __init__(
        self,
        buffer: Buffer,
        sources: Sequence[Source],
        max_payload: int = 256 << 10,
        served: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """`served`: the cities, and of each the devices (none: all), that messages may name; None: any."""
        self.buffer = buffer
        self.ledger = Ledger(buffer.ledger)
        self.sources = list(sources)
        self._routes = [(matcher(s.topic), decoder(s.format), may_carry_users(s.format), s) for s in sources]
        self._max_payload = max_payload
        self._served = served
        self._secret = next((s.options.secret for s in sources), b"")
        self._batch = Batch(buffer.table)
        self._devices: dict[str, _Route] = {}
        self._arrivals = buffer.last_arrival()
        self._noted = self._arrivals  # of them, the largest that is on disk
        self._numbered: dict[tuple[int, int], float] = {}  # (series, key) of numbered records in the batch -> value
        self._counted = 0  # lines of the batch that the ledger has counted
        self.not_served = ""  # the last message that was not served here, as a sentence
        self._unserved = 0  # such messages in the batch
        self._repeated = 0  # readings of the batch that came before and are left out

    def accept(self, messages: Sequence[Incoming], arrival: int, kept: bool = False) -> Counts:
        """Store a batch of messages; on return it is on disk. `arrival`: ms UTC. Raises Unavailable: nothing is.

        `kept`: they were refused before, wholly or in part, and are processed once more.
        """
        done, counts = self._accept_some(messages, arrival, kept)
        while done < len(messages):
            more, others = self._accept_some(messages[done:], arrival, kept)
            done, counts = done + more, Counts(*map(sum, zip(counts, others, strict=True)))
        return counts

    def _accept_some(self, messages: Sequence[Incoming], arrival: int, kept: bool) -> tuple[int, Counts]:
        """Store the first messages, as many as make _ROWS rows: a small message may hold months of sessions."""
        problems: list[_Problem] = []
        self._batch.clear()
        self._numbered.clear()
        self._counted = self._repeated = self._unserved = done = 0
        try:
            for place, message in enumerate(messages):
                met = self._take(message, message.arrival or arrival, place, kept)
                if met:
                    problems.append(met)
                done += 1
                if len(self._batch) >= _ROWS:
                    break
        except Unavailable:
            self.ledger.forget()
            raise
        readings, source = self._batch.readings()
        rejects = self._rejects(messages, problems, readings, source, arrival)
        refused = sum(len(p.reasons) for p in problems) + self._unserved
        lines = self._batch.lines[self._counted :]
        return done, self.store(readings, rejects, done, refused, lines, arrival, self._repeated)

    def store(
        self,
        readings: Readings,
        rejects: Sequence[Refused],
        received: int,
        refused: int,
        lines: Sequence[Line] = (),
        arrival: int = 0,
        repeated: int = 0,
    ) -> Counts:
        """Commit readings, rejects, ledger and counters together. `repeated`: readings that came before."""
        readings, too_old = self._within_retention(readings)
        flagged = int((readings.flag != 0).sum())
        try:
            with self.buffer.transaction():
                stored = self.buffer.put(readings)
                self.buffer.rejects.add(rejects)
                self.ledger.take(lines, arrival)
                if self._arrivals > self._noted:
                    self.buffer.note_arrival(self._arrivals)
                duplicate = len(readings) - stored + repeated
                counts = Counts(received, stored, duplicate, flagged, refused + too_old)
                if self.ledger.passed_over:
                    self.buffer.count({"gw_ledger_passed_over": self.ledger.passed_over})
                    self.ledger.passed_over = 0
                if self._unserved:
                    self.buffer.count({"gw_not_served": self._unserved})
                self.buffer.count({f"gw_{k}": v for k, v in counts._asdict().items() if v})
        except Unavailable:
            self.buffer.forget_unsaved()
            self.ledger.forget()
            raise
        self._noted = self._arrivals
        return counts

    def _within_retention(self, readings: Readings) -> tuple[Readings, int]:
        """Leave out readings of windows whose other readings are gone: folding those would lose them downstream."""
        keep = window_start(readings.t, self.buffer.width) >= self.buffer.pruned_before
        return (readings, 0) if keep.all() else (readings.take(np.flatnonzero(keep)), int((~keep).sum()))

    def _take(self, message: Incoming, arrival: int, place: int, kept: bool) -> _Problem | None:
        """Decode one message into the batch; returns the problems met."""
        route = None
        try:
            route = self._route(message.address)
            if len(message.payload) > self._max_payload:
                raise Rejected(f"payload of {len(message.payload)} bytes; the limit is {self._max_payload}")
            rows = route.decode(message.payload, arrival, route.options)
            check_records(rows)
            self._drop_pruned(rows)
            if rows.by_arrival and message.retain:
                raise Rejected(RETAINED)
        except NotServed as reason:
            self.not_served, self._unserved = str(reason), self._unserved + 1
            return None
        except Rejected as reason:
            return _Problem(place, [str(reason)], route, message.number or self._next_arrival())
        met, number = self._add(message, route, rows, arrival, place, kept)
        return _Problem(place, met, route, number or self._next_arrival()) if met else None

    def _add(
        self, message: Incoming, route: _Route, rows: Decoded, arrival: int, place: int, kept: bool
    ) -> tuple[list[str], int]:
        """Put decoded rows into the batch; the problems met, and the arrival's number where it has one."""
        city, device = route.city, route.device
        if kept or rows.by_arrival:
            number = message.number or self._next_arrival()
            rows.rows = with_keys(rows.rows, rows.records, number)
            return self._take_with_care(route, rows, arrival, place, kept, bool(message.number)), number
        if rows.records and self.ledger.has_undated(city, device):
            self._leave_out(rows, {i for i, n in enumerate(rows.records) if self.ledger.undated(city, device, *n)})
        return self._batch.add(city, device, rows, arrival, place), message.number

    def _next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def _take_with_care(
        self, route: _Route, rows: Decoded, arrival: int, place: int, kept: bool, numbered: bool
    ) -> list[str]:
        """A reading is stamped once: one dated by its arrival must not be dated again when it comes again.

        Nor by its own clock, which the device may have set in between: then it would stand there twice.
        """
        city, device = route.city, route.device
        self._count(arrival)
        undated = {i for i, n in enumerate(rows.records) if self.ledger.undated(city, device, *n)}
        known = {i for i, n in enumerate(rows.records) if self.ledger.knows(city, device, *n)}
        held = self._held(city, device, rows, numbered) if kept else set()
        # What was refused is known and not stored. What is held was dated by this very message.
        came_before = undated - held if kept or not rows.by_arrival else undated | known
        renumbered = self._renumbered(city, device, rows, came_before)
        self._leave_out(rows, came_before, came_before - renumbered)
        if not numbered and kept:
            self._leave_out_stored(city, device, rows)
        rows.problems += [_RENUMBERED.format(*rows.records[i]) for i in sorted(renumbered)]
        problems = self._batch.add(city, device, rows, arrival, place)
        self._note_numbered(city, device, rows)
        lines = self._batch.lines[self._counted :]
        self._count(arrival)
        for record, line in enumerate(lines[: len(rows.records)]):
            if kept and line.stored and record in known - undated - held:
                self.ledger.mend(*line[:4])
        return problems

    def _count(self, arrival: int) -> None:
        """Let the ledger know the records of the batch so far: one may be in it twice."""
        self.ledger.count(self._batch.lines[self._counted :], arrival)
        self._counted = len(self._batch.lines)

    def _converted(self, city: str, device: str, rows: Decoded) -> Iterator[tuple[Row, int, float]]:
        """The rows that can be stored, with their series and their values in catalogue units."""
        for row in rows.rows:
            kind = self._batch.kind(city, device, row[0], row[1])
            if self._batch.problem(kind) is None:
                yield row, self.buffer.table.id_of(Series(city, device, row[0])), self._batch.converted(kind, row[2])

    def _renumbered(self, city: str, device: str, rows: Decoded, records: set[int]) -> set[int]:
        """Of these records, which came before, those that had other values then: their numbers do not identify them."""
        found = set()
        for row, series, value in self._converted(city, device, rows) if records else ():
            if row[5] in records and row[4] >= NUMBERED:
                before = self._numbered.get((series, row[4]))
                before = self.buffer.value_of(series, row[4]) if before is None else before
                if before is not None and before != value:
                    found.add(row[5])
        return found

    def _note_numbered(self, city: str, device: str, rows: Decoded) -> None:
        if rows.by_arrival and rows.records:
            for row, series, value in self._converted(city, device, rows):
                if row[4] >= NUMBERED:
                    self._numbered[series, row[4]] = value

    def _held(self, city: str, device: str, rows: Decoded, numbered: bool) -> set[int]:
        """The records of which a reading is stored, with the very identity it has here.

        A message that was kept by an older program has no number: there the value says whether it is the same.
        """
        found = set()
        for row, series, value in self._converted(city, device, rows):
            there = self.buffer.values_at(series, row[3])
            if row[4] in there or (not numbered and value in there.values()):
                found.add(row[5])
        return found

    def _leave_out_stored(self, city: str, device: str, rows: Decoded) -> None:
        """Of a message kept by an older program, leave out the readings that were stored when it came."""
        stored = {
            id(row)
            for row, series, value in self._converted(city, device, rows)
            if 0 < row[4] < NUMBERED and value in self.buffer.values_at(series, row[3]).values()
        }
        rows.rows = [row for row in rows.rows if id(row) not in stored]

    def dates(self, message: Incoming, arrival: int) -> bool:
        """Whether a message is dated by its arrival; False also where it cannot be read."""
        try:
            route = self._route(message.address)
            return (
                len(message.payload) <= self._max_payload
                and route.decode(message.payload, arrival, route.options).by_arrival
            )
        except Rejected:
            return False

    def _leave_out(self, rows: Decoded, records: set[int], repeated: set[int] | None = None) -> None:
        """Drop the rows of these records; those of `repeated` (default: all) count as readings that came before."""
        if records:
            came_before = records if repeated is None else repeated
            self._repeated += sum(row[5] in came_before for row in rows.rows)
            rows.rows = [row for row in rows.rows if row[5] not in records]

    def _drop_pruned(self, rows: Decoded) -> None:
        """Leave out readings whose windows have lost their other readings, a problem each."""
        floor = self.buffer.pruned_before
        if floor and rows.rows and min(rows.t) < floor:
            kept = [row for row in rows.rows if row[3] >= floor]
            why = "reading older than what this gateway still holds: its window cannot be folded any more"
            rows.problems += [why] * (len(rows.rows) - len(kept))
            rows.rows = kept

    def _route(self, address: str) -> _Route:
        """City, device, decoder and options of an address."""
        found = self._devices.get(address)
        if found is None:
            found = self._find_route(address)
            if len(self._devices) < 200_000:
                self._devices[address] = found
        return found

    def _find_route(self, address: str) -> _Route:
        for match, decode, users, source in self._routes:
            levels = match(address)
            if levels is None:
                continue
            city, device = levels.get("city") or source.city or "", levels["device"]
            if not valid_id(city) or not valid_id(device):
                raise Rejected(f"the topic names no valid city and device (city '{city[:40]}', device '{device[:40]}')")
            self._check_served(city, device)
            secret = city_key(source.options.secret, city)
            return _Route(city, device, decode, replace(source.options, secret=secret), users)
        raise Rejected("no source is configured for this topic")

    def _check_served(self, city: str, device: str) -> None:
        """Raise NotServed for a city, or a device of it, that this gateway is not configured for."""
        if self._served is None:
            return
        devices = self._served.get(city)
        if devices is None:
            raise NotServed(f"city '{city}' is not served by this gateway")
        if devices and device not in devices:
            raise NotServed(f"device '{device}' of city '{city}' is not served by this gateway")

    def _rejects(
        self,
        messages: Sequence[Incoming],
        problems: list[_Problem],
        readings: Readings,
        source: np.ndarray[tuple[int], np.dtype[np.int64]],
        arrival: int,
    ) -> list[Refused]:
        """One entry per message with a problem, its reasons joined."""
        met = {p.place: p._replace(reasons=list(p.reasons)) for p in problems}
        for row in np.flatnonzero(readings.flag).tolist():
            place = int(source[row])
            if place not in met:
                number = messages[place].number or self._number_of(int(readings.key[row]))
                met[place] = _Problem(place, [], self._route(messages[place].address), number)
            met[place].reasons.extend(describe_flags(readings, [row], self.buffer.table))
        return [self._refused(messages[n], problem, arrival) for n, problem in sorted(met.items())]

    def _number_of(self, key: int) -> int:
        """The number of the arrival of which a reading has this key; a new one where it has none."""
        return key // PLACES if PLACES <= key < NUMBERED else self._next_arrival()

    def _refused(self, message: Incoming, problem: _Problem, arrival: int) -> Refused:
        """A message as it is kept."""
        payload, reason = message.payload, _join(problem.reasons)
        if problem.route is None or problem.route.may_carry_users:
            reason = reason_without_users(reason, payload)
            secret = self._secret
            payload = sealed(payload, secret) if secret else without_users(payload, city_key(secret, ""))
        sender = problem.route.device if problem.route else ""
        digest = None
        if message.retain:
            digest = blake2b(message.address.encode() + b"\0" + message.payload, digest_size=16).digest()
        at = message.arrival or arrival
        return Refused(at, message.address, payload, reason, problem.number, sender, digest)

    def original(self, kept: Reject) -> Incoming:
        """A kept message as it came. Raises Rejected where it was encrypted under another key."""
        return Incoming(kept.topic, opened(kept.payload, self._secret), kept.at, RETAINED in kept.reason, kept.number)

    # -- the other side ----------------------------------------------------------------------------------------------

    def pending(
        self, limit: int = 20_000, *, newest_first: bool = True, city: str | None = None
    ) -> tuple[Dirty, Partials]:
        """Windows that changed since they were last acknowledged, of one city or of all, and their partials."""
        dirty, readings = self.buffer.dirty(limit, newest_first=newest_first, city=city)
        partials = fold(readings, self.buffer.width, self.buffer.table.modulus(readings.series))
        return dirty, partials

    def hand_over(self, dirty: Dirty, partials: Partials, now: int = 0) -> list[Parcel]:
        """The messages that are to carry these windows; noted on disk before they leave.

        Their numbers grow for ever, also over a new buffer file, because they are not below the time (`now`, ms).
        """
        sent = parcels(partials, self.buffer.table, max(self.buffer.last_message(), now))
        if sent:
            self.buffer.hand_over(dirty, carriers(dirty, sent))
        return sent

    def sent(self, dirty: Dirty) -> None:
        """The hub holds these windows now."""
        self.buffer.sent(dirty)


def _join(reasons: list[str]) -> str:
    """Reasons as one line, equal ones counted. Half a surrogate pair, which JSON can spell, is shown as its escape."""
    counted = Counter(reasons)
    line = "; ".join(r if n == 1 else f"{r} ({n} times)" for r, n in list(counted.items())[:20])
    return line.encode("utf-8", "backslashreplace").decode()
