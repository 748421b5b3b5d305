"""A message as every door hands it to the core, and which of them a broker delivers once more.

It does so when the connection ended before it had the PUBACK. Readings with a time, and records with a number, are the
same when they are delivered again. For the rest `Redelivered` keeps a digest of session, packet identifier, topic and
payload, saved in the transaction that stores the message. A broker redelivers with the same packet identifier and with
DUP, and before it sends anything new, so:

- a message with DUP is the same as a stored one with the same packet identifier and content;
- one without DUP is new, also with the same content, and ends what is kept of earlier connections;
- identifiers of an earlier session say nothing about a new one.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import NamedTuple, Protocol

from adapters.sqlite.deliveries import Deliveries, Kept

KEPT = 60_000  # messages; MQTT has 65,535 packet identifiers, so none is used a second time among so many


class Delivery(Protocol):
    """How a broker delivered a message. `mid`: packet identifier, `duplicate`: whether the broker says that it has sent
    it before, `qos`; `epoch`: number of the connection in this process, from 1; `session`: of which client at which
    broker; `began`: the connection with which that session began, 0 where it is older than this process.
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


class Incoming(NamedTuple):
    """`address`: where it came in (an MQTT topic, the path of a request). `arrival`: ms UTC, 0 for that of the batch.

    `retain`: the broker kept it from an earlier time. `number`: of its arrival, where it came before (was refused and
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


class _Known(NamedTuple):
    """`epoch`: of the connection, 0 for one before this process."""

    number: int
    epoch: int
    readings: int


class Redelivered:
    """What may be delivered once more. Changes count once `save` was called within a transaction that succeeded."""

    def __init__(self, table: Deliveries) -> None:
        self._table = table
        self._last = 0
        self._known: dict[int, dict[int, _Known]] = {}  # session -> digest -> what is known
        self.forget()

    def forget(self) -> None:
        """After a failed transaction, and at the start: what is on disk counts.

        The connection is not on disk: what is known of it stays, else all of this process would look like of an
        earlier session, and be stored a second time when it is redelivered.
        """
        before, self._known = self._known, {}
        self._order: deque[tuple[int, int, int]] = deque()  # number, session, digest
        self._new: list[Kept] = []
        self._ended: dict[int, int] = {}
        self._epochs: dict[int, int] = {}  # session -> the connection whose new messages have begun
        self._names: dict[str, int] = {}
        self._current = ("", 0)  # session and connection of the last new message
        for kept in self._table.all():
            known = before.get(kept.session, {}).get(kept.digest)
            self._remember(kept, known.epoch if known else 0)

    def _remember(self, kept: Kept, epoch: int) -> None:
        self._last = max(self._last, kept.number)
        self._known.setdefault(kept.session, {})[kept.digest] = _Known(kept.number, epoch, kept.readings)
        self._order.append((kept.number, kept.session, kept.digest))

    def readings(self, message: Incoming) -> int | None:
        """How many readings this very message brought before; None where it is new."""
        delivery = message.delivery
        if delivery is None or not delivery.qos:
            return None
        self._last += 1
        current = delivery.session, delivery.epoch
        if current == self._current and not delivery.duplicate:  # the usual message
            return None
        session = self._session(delivery.session)
        if not delivery.duplicate:
            if self._epochs.get(session) != delivery.epoch:
                self._begin(session, delivery.epoch)
            self._current = current
            return None
        digest = _digest(message, delivery)
        found = self._known.get(session, {}).get(digest)
        if found is None or found.epoch < delivery.began:
            return None
        self._add(session, digest, delivery.epoch, found.readings)
        return found.readings

    def _begin(self, session: int, epoch: int) -> None:
        """The first new message of a connection: what was delivered by earlier ones has been acknowledged."""
        self._epochs[session] = epoch
        known = self._known.get(session)
        if known:
            self._known[session] = {digest: k for digest, k in known.items() if k.epoch == epoch}
            self._new = [k for k in self._new if k.session != session or k.digest in self._known[session]]
            self._ended[session] = min((k.number for k in self._known[session].values()), default=self._last)

    def note(self, message: Incoming, readings: int) -> None:
        """Keep the digest of a message of the batch that would be stored a second time."""
        delivery = message.delivery
        if delivery is not None and delivery.qos:
            self._add(self._session(delivery.session), _digest(message, delivery), delivery.epoch, readings)

    def _add(self, session: int, digest: int, epoch: int, readings: int) -> None:
        kept = Kept(self._last, session, digest, readings)
        self._new.append(kept)
        self._remember(kept, epoch)

    def save(self) -> None:
        """Write what is new; within the caller's transaction."""
        before = self._last - KEPT
        if self._new or self._ended or (self._order and self._order[0][0] < before):
            self._table.save(self._new, before, self._ended.items())

    def saved(self) -> None:
        """The transaction succeeded."""
        self._new, self._ended = [], {}
        before = self._last - KEPT
        while self._order and self._order[0][0] < before:
            number, session, digest = self._order.popleft()
            known = self._known.get(session, {})
            if digest in known and known[digest].number == number:
                del known[digest]

    def _session(self, name: str) -> int:
        if name not in self._names:
            self._names[name] = _bits(name.encode())
        return self._names[name]


def _digest(message: Incoming, delivery: Delivery) -> int:
    head = delivery.mid.to_bytes(2, "big") + message.address.encode("utf-8", "surrogatepass")
    return _bits(head + b"\0" + message.payload)


def _bits(data: bytes) -> int:
    """64 bits, as SQLite keeps them."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)
