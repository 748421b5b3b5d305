"""A message as every door hands it to the core, and which of them a broker redelivers.

It does so when the connection ended before it had the PUBACK. Readings with a time, and records with a number, are the
same when they are delivered again. For the rest `Redelivered` keeps a digest of session, packet identifier, topic and
payload, saved in the transaction that stores the message. A broker redelivers with the same packet identifier and with
DUP, and before it sends anything new, so:

- a message with DUP is the same as a stored one with the same packet identifier and content;
- one without DUP is new, also with the same content, and ends what is kept of earlier connections;
- identifiers of an earlier session mean nothing in a new one.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import NamedTuple, Protocol

from adapters.sqlite.deliveries import Deliveries, Kept

KEPT = 60_000  # messages; MQTT has 65,535 packet identifiers, so none is used twice within this many


class Delivery(Protocol):
    """How a broker delivered a message. `mid`: packet identifier, `duplicate`: whether the broker marks it as sent
    before, `qos`; `epoch`: number of the connection in this process, from 1; `session`: of which client at which
    broker; `began`: the connection with which that session began, 0 where it is older than this process; `passed`: how
    many messages of other gateways' devices came before it, which had packet identifiers too.
    """

    @property
    def mid(self) -> int: ...  # noqa: D102 - described above
    @property
    def duplicate(self) -> bool: ...  # noqa: D102
    @property
    def qos(self) -> int: ...  # noqa: D102
    @property
    def epoch(self) -> int: ...  # noqa: D102
    @property
    def session(self) -> str: ...  # noqa: D102
    @property
    def began(self) -> int: ...  # noqa: D102
    @property
    def passed(self) -> int: ...  # noqa: D102


class Incoming(NamedTuple):
    """`address`: where it came in (an MQTT topic, the path of a request). `arrival`: ms UTC, 0 for that of the batch.

    `retain`: the broker kept it from an earlier time. `number`: of its arrival, where it came before (was rejected and
    kept); 0 for a new message. `bulk`: from a file of the operator's, which has no budget. `delivery`: None where no
    broker delivers it, or where it cannot be delivered a second time.
    """

    address: str
    payload: bytes
    arrival: int = 0
    retain: bool = False
    number: int = 0
    bulk: bool = False
    delivery: Delivery | None = None


class Counts(NamedTuple):
    """What became of a batch: messages, and readings stored, seen before, flagged; messages kept as rejected."""

    received: int
    stored: int
    duplicate: int
    flagged: int
    rejected: int


class _Batch(NamedTuple):
    """Messages of one session that were stored together. `epoch`: of the connection, 0 for one before this process."""

    kept: Kept
    epoch: int


class Redelivered:
    """What may be redelivered. Changes count once `save` was called within a transaction that succeeded."""

    def __init__(self, table: Deliveries) -> None:
        self._table = table
        self._last = 0
        self._batches: deque[_Batch] = deque()
        self.forget()

    def forget(self) -> None:
        """After a failed transaction, and at the start: what is on disk counts.

        The connection is not on disk: what is known of it stays, else all of this process would look like of an
        earlier session, and be stored a second time when it is redelivered.
        """
        epochs = {batch.kept.number: batch.epoch for batch in self._batches}
        self._batches = deque(_Batch(kept, epochs.get(kept.number, 0)) for kept in self._table.all())
        if self._batches:
            self._last = max(self._last, self._batches[-1].kept.number)
        self._new: dict[tuple[int, int], dict[bytes, int]] = {}  # (session, epoch) -> messages of this batch
        self._written: list[_Batch] = []
        self._stored: dict[int, dict[bytes, tuple[int, int]]] = {}  # session -> what `_batches` has, once it is needed
        self._ended: list[int] = []
        self._epochs: dict[int, int] = {}  # session -> the connection whose new messages have begun
        self._names: dict[str, int] = {}
        self._current = ("", 0)  # session and connection of the last new message
        self._latest: dict[bytes, int] | None = None  # the messages of this batch that came by it

    def readings(self, message: Incoming) -> int | None:
        """How many readings this very message brought before; None where it is new."""
        delivery = message.delivery
        if delivery is None or not delivery.qos:
            return None
        self._last += 1 + delivery.passed
        if not delivery.duplicate:
            if (delivery.session, delivery.epoch) != self._current:  # else the usual message
                self._begin(self._session(delivery.session), delivery.epoch)
                self._current, self._latest = (delivery.session, delivery.epoch), None
            return None
        session, digest = self._session(delivery.session), _digest(message, delivery)
        found = self._find(session, digest, delivery.began)
        if found is not None:
            self._add(session, delivery.epoch, digest, found)
        return found

    def take_new(self, message: Incoming, delivery: Delivery | None, readings: int | None = None) -> None:
        """A message without DUP; `readings`: how many it has, where they would be stored a second time. See `readings`
        and `note`, which this joins: most messages need both.
        """
        if delivery is None or not delivery.qos:
            return
        self._last += 1 + delivery.passed
        current = delivery.session, delivery.epoch
        if current != self._current:
            self._begin(self._session(current[0]), current[1])
            self._current, self._latest = current, None
        if readings is None:
            return
        if self._latest is None:
            self._latest = self._new.setdefault((self._session(current[0]), current[1]), {})
        self._latest[_digest(message, delivery)] = readings

    def _find(self, session: int, digest: bytes, began: int) -> int | None:
        """The readings of the last message with this digest, where it came since the session began."""
        for (of, epoch), found in reversed(self._new.items()):
            if of == session and digest in found:
                return found[digest] if epoch >= began else None
        if session not in self._stored:
            batches = [batch for batch in self._batches if batch.kept.session == session]
            self._stored[session] = {d: (b.epoch, n) for b in batches for d, n in b.kept.found.items()}
        epoch, readings = self._stored[session].get(digest, (-1, 0))
        return readings if epoch >= began else None

    def _begin(self, session: int, epoch: int) -> None:
        """The first new message of a connection: what was delivered by earlier ones has been acknowledged."""
        if self._epochs.get(session) == epoch:
            return
        self._epochs[session] = epoch
        over = [b.kept.number for b in self._batches if b.kept.session == session and b.epoch != epoch]
        if over:
            self._ended += over
            gone = set(over)
            self._stored.pop(session, None)
            self._batches = deque(batch for batch in self._batches if batch.kept.number not in gone)
        self._new = {key: found for key, found in self._new.items() if key[0] != session or key[1] == epoch}
        self._latest = None

    def note(self, message: Incoming, readings: int) -> None:
        """Keep the digest of a message of the batch that would be stored a second time."""
        delivery = message.delivery
        if delivery is not None and delivery.qos:
            self._add(self._session(delivery.session), delivery.epoch, _digest(message, delivery), readings)

    def _add(self, session: int, epoch: int, digest: bytes, readings: int) -> None:
        found = self._new.get((session, epoch))
        if found is None:
            found = self._new[session, epoch] = {}
        found[digest] = readings

    def save(self) -> None:
        """Write what is new; within the caller's transaction."""
        self._written = []
        for (session, epoch), found in self._new.items():
            self._written.append(_Batch(Kept(self._last, session, found), epoch))
            self._last += 1  # each row has a number of its own
        before = self._last - KEPT
        over = bool(self._batches) and self._batches[0].kept.number < before
        if self._written or self._ended or over:
            self._table.save([batch.kept for batch in self._written], before if over else None, self._ended)

    def saved(self) -> None:
        """The transaction succeeded."""
        self._batches += self._written
        self._stored.clear()
        self._new, self._written, self._ended, self._latest = {}, [], [], None
        while self._batches and self._batches[0].kept.number < self._last - KEPT:
            self._batches.popleft()

    def _session(self, name: str) -> int:
        if name not in self._names:
            self._names[name] = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
        return self._names[name]


def _digest(message: Incoming, delivery: Delivery) -> bytes:
    head = delivery.mid.to_bytes(2, "big") + message.address.encode("utf-8", "surrogatepass")
    return blake2b(head + b"\0" + message.payload, digest_size=8).digest()
