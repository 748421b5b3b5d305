"""What the gateway does with messages and windows, without any network: `accept`, `pending`, `sent`.

Three outcomes for a message, decided here: stored; rejected (kept with its reason, then acknowledged); unavailable
(the buffer cannot write: nothing is acknowledged, the caller tries again). Anything else is a bug and crashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from adapters.sqlite.buffer import Buffer, Dirty
from gateway.batch import Batch, describe_flags
from gateway.decoded import BY_ARRIVAL, Decoded, Line, SourceOptions
from gateway.formats import Decode, decoder
from gateway.ledger import Ledger
from gateway.outbox import Parcel, carriers, parcels
from gateway.privacy import city_key, without_users
from telemetry.errors import Rejected, Unavailable
from telemetry.partials import Partials, fold
from telemetry.quantities import QUANTITIES
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.topics import matcher, subscription, valid_id
from telemetry.windows import window_start

_ROWS = 200_000  # rows that are committed together
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
    """A message as the core needs it."""

    topic: str
    payload: bytes
    retain: bool = False


class Counts(NamedTuple):
    """What became of a batch: messages, and readings stored, seen before, flagged; messages kept as rejected."""

    received: int
    stored: int
    duplicate: int
    flagged: int
    rejected: int


class Core:
    """One gateway: its buffer and its sources."""

    def __init__(self, buffer: Buffer, sources: Sequence[Source], max_payload: int = 256 << 10) -> None:
        self.buffer = buffer
        self.ledger = Ledger(buffer.ledger)
        self.sources = list(sources)
        self._routes = [(matcher(s.topic), decoder(s.format), s) for s in sources]
        self._max_payload = max_payload
        self._secret = next((s.options.secret for s in sources), b"")
        self._batch = Batch(buffer.table)
        self._devices: dict[str, tuple[str, str, Decode, SourceOptions]] = {}
        self._arrived: Counter[tuple[str, str]] = Counter()
        self._counted = 0  # lines of the batch that the ledger has counted

    def accept(self, messages: Sequence[Incoming], arrival: int, kept: bool = False) -> Counts:
        """Store a batch of messages; on return it is on disk. `arrival`: ms UTC. Raises Unavailable: nothing is.

        `kept`: they were refused before, wholly or in part, and are taken once more.
        """
        self._arrived.clear()
        taken, counts = self._accept_some(messages, arrival, kept)
        while taken < len(messages):
            more, others = self._accept_some(messages[taken:], arrival, kept)
            taken, counts = taken + more, Counts(*map(sum, zip(counts, others, strict=True)))
        return counts

    def _accept_some(self, messages: Sequence[Incoming], arrival: int, kept: bool) -> tuple[int, Counts]:
        """Store the first messages, as many as make _ROWS rows: a small message may hold months of sessions."""
        problems: list[tuple[int, list[str]]] = []
        self._batch.clear()
        self._counted = taken = 0
        try:
            for number, message in enumerate(messages):
                met = self._take(message, arrival, number, kept)
                if met:
                    problems.append((number, met))
                taken += 1
                if len(self._batch) >= _ROWS:
                    break
        except Unavailable:
            self.ledger.forget()
            raise
        readings, source = self._batch.readings()
        rejects = self._rejects(messages, problems, readings, source, arrival)
        refused = sum(len(p) for _, p in problems)
        return taken, self.store(readings, rejects, taken, refused, self._batch.lines[self._counted :], arrival)

    def store(
        self,
        readings: Readings,
        rejects: list[tuple[int, str, bytes, str]],
        received: int,
        refused: int,
        lines: Sequence[Line] = (),
        arrival: int = 0,
    ) -> Counts:
        """Commit readings, rejects, ledger and counters together."""
        readings, too_old = self._within_retention(readings)
        flagged = int((readings.flag != 0).sum())
        try:
            with self.buffer.transaction():
                stored = self.buffer.put(readings)
                self.buffer.rejects.add(rejects)
                self.ledger.take(lines, arrival)
                counts = Counts(received, stored, len(readings) - stored, flagged, refused + too_old)
                self.buffer.count({f"gw_{k}": v for k, v in counts._asdict().items() if v})
        except Unavailable:
            self.buffer.forget_unsaved()
            self.ledger.forget()
            raise
        return counts

    def _within_retention(self, readings: Readings) -> tuple[Readings, int]:
        """Leave out readings of windows whose other readings are gone: folding those would lose them downstream."""
        keep = window_start(readings.t, self.buffer.width) >= self.buffer.pruned_before
        return (readings, 0) if keep.all() else (readings.take(np.flatnonzero(keep)), int((~keep).sum()))

    def _take(self, message: Incoming, arrival: int, number: int, kept: bool) -> list[str]:
        """Decode one message into the batch; returns the problems met."""
        try:
            city, device, decode, options = self._route(message.topic)
            if len(message.payload) > self._max_payload:
                raise Rejected(f"payload of {len(message.payload)} bytes; the limit is {self._max_payload}")
            rows = decode(message.payload, arrival, options)
            self._drop_pruned(rows)
            if rows.by_arrival and message.retain:
                raise Rejected(RETAINED)
        except Rejected as reason:
            return [str(reason)]
        if kept or rows.by_arrival:
            return self._take_with_care(city, device, rows, arrival, number, kept)
        if rows.records and self.ledger.has_undated(city, device):
            self._leave_out(rows, {i for i, n in enumerate(rows.records) if self.ledger.undated(city, device, *n)})
        return self._batch.add(city, device, rows, arrival, number)

    def _take_with_care(
        self, city: str, device: str, rows: Decoded, arrival: int, number: int, kept: bool
    ) -> list[str]:
        """A reading is stamped once: one dated by its arrival must not be dated again when it comes again.

        Nor by its own clock, which the device may have set in between: then it would stand there twice.
        """
        self._count(arrival)
        self._tell_apart(city, device, rows)
        undated = {i for i, n in enumerate(rows.records) if self.ledger.undated(city, device, *n)}
        known = {i for i, n in enumerate(rows.records) if self.ledger.knows(city, device, *n)}
        held = self._held(city, device, rows) if kept else set()
        # What was refused is known and not stored. What is held was dated by this very message.
        self._leave_out(rows, undated - held if kept or not rows.by_arrival else undated | known)
        problems = self._batch.add(city, device, rows, arrival, number)
        lines = self._batch.lines[self._counted :]
        self._count(arrival)
        for place, line in enumerate(lines[: len(rows.records)]):
            if kept and line.stored and place in known - undated - held:
                self.ledger.mend(*line[:4])
        return problems

    def _count(self, arrival: int) -> None:
        """Let the ledger know the records of the batch so far: one may be in it twice."""
        self.ledger.count(self._batch.lines[self._counted :], arrival)
        self._counted = len(self._batch.lines)

    def _tell_apart(self, city: str, device: str, rows: Decoded) -> None:
        """Give rows dated by their arrival a key: what waited at the broker arrives in one ms, and is many readings."""
        place = self._arrived[city, device]
        self._arrived[city, device] += 1
        for i, row in enumerate(rows.rows):
            if row[4] == BY_ARRIVAL:
                key = place
                if row[5] >= 0:  # a number that grows with the record's: counters are summed in this order
                    boot, seq = rows.records[row[5]]
                    key = (boot % 2**20 << 40) + seq % 2**40 + 1
                rows.rows[i] = (*row[:4], key, row[5])

    def _held(self, city: str, device: str, rows: Decoded) -> set[int]:
        """The records of which a reading is stored, with the very time it has here."""
        return {
            record
            for quantity, _, _, t, key, record in rows.rows
            if quantity in QUANTITIES
            and self.buffer.holds(self.buffer.table.id_of(Series(city, device, quantity)), t, key)
        }

    def dates(self, message: Incoming, arrival: int) -> bool:
        """Whether a message is dated by its arrival; False also where it cannot be read."""
        try:
            _, _, decode, options = self._route(message.topic)
            return len(message.payload) <= self._max_payload and decode(message.payload, arrival, options).by_arrival
        except Rejected:
            return False

    def _leave_out(self, rows: Decoded, records: set[int]) -> None:
        """Drop the rows of these records; they count as come again."""
        if records:
            rows.rows = [row for row in rows.rows if row[5] not in records]

    def _drop_pruned(self, rows: Decoded) -> None:
        """Leave out readings whose windows have lost their other readings, a problem each."""
        floor = self.buffer.pruned_before
        if floor and rows.rows and min(rows.t) < floor:
            kept = [row for row in rows.rows if row[3] >= floor]
            why = "reading older than what this gateway still holds: its window cannot be folded any more"
            rows.problems += [why] * (len(rows.rows) - len(kept))
            rows.rows = kept

    def _route(self, topic: str) -> tuple[str, str, Decode, SourceOptions]:
        """City, device, decoder and options of a topic."""
        found = self._devices.get(topic)
        if found is None:
            found = self._find_route(topic)
            if len(self._devices) < 200_000:
                self._devices[topic] = found
        return found

    def _find_route(self, topic: str) -> tuple[str, str, Decode, SourceOptions]:
        for match, decode, source in self._routes:
            levels = match(topic)
            if levels is None:
                continue
            city, device = levels.get("city") or source.city or "", levels["device"]
            if not valid_id(city) or not valid_id(device):
                raise Rejected(f"the topic names no valid city and device (city '{city[:40]}', device '{device[:40]}')")
            secret = city_key(source.options.secret, city)
            return city, device, decode, replace(source.options, secret=secret)
        raise Rejected("no source is configured for this topic")

    def _rejects(
        self,
        messages: Sequence[Incoming],
        problems: list[tuple[int, list[str]]],
        readings: Readings,
        source: np.ndarray[tuple[int], np.dtype[np.int64]],
        arrival: int,
    ) -> list[tuple[int, str, bytes, str]]:
        """One entry per message with a problem, its reasons joined."""
        reasons: dict[int, list[str]] = {number: list(met) for number, met in problems}
        for row in np.flatnonzero(readings.flag).tolist():
            reasons.setdefault(int(source[row]), []).extend(describe_flags(readings, [row], self.buffer.table))
        key = city_key(self._secret, "")
        return [
            (arrival, messages[n].topic, without_users(messages[n].payload, key), _join(met))
            for n, met in sorted(reasons.items())
        ]

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
