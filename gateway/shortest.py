"""The shortest way of messages into the batch: numbers of one known device, within its budget.

A message for which a condition fails goes the usual way, which gives the same readings or the reason of a reject. One
long function, because at thousands of messages a second each call in it is a fiftieth of what a message costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adapters.sqlite.buffer import Buffer
from gateway.batch import Batch
from gateway.decoding.decoded import Line
from gateway.decoding.plain import Message, Plain
from gateway.identity import PLACES
from gateway.incoming import Incoming, Redelivered
from gateway.ledger import Ledger
from gateway.routes import Route, Routes
from gateway.senders.budget import Allowance, Budget
from gateway.senders.named import OTHERS, Named
from gateway.senders.unasked import Unasked
from telemetry.errors import Rejected

_MOST_ADDRESSES, _LONGEST_ADDRESS = 100_000, 128  # that are remembered
_TRIES = 100  # of the shortest way, that fail


class _Address(NamedTuple):
    """What is the same for all messages of an address in one batch. `name`: city and device; `allowance`: its
    sender's, as of the arrival of the batch.
    """

    route: Route
    plain: Plain
    name: tuple[str, str]
    allowance: Allowance


class _First:
    """The way of the messages that name the device that the first one of an address named. Where those are few, as at
    a receiver of many sensors, trying costs more than it saves: one that is read saves twice what another one costs.
    """

    def __init__(self, plain: Plain) -> None:
        self._read, self._left = plain.read, _TRIES
        self.plain = plain._replace(read=self._reads)

    def _reads(self, payload: bytes, arrival: int) -> Message | None:
        found = self._read(payload, arrival)
        if found is None:
            self._left -= 1
        elif self._left < _TRIES:
            self._left += 2
        return found

    @property
    def is_rare(self) -> bool:
        """So rare that messages of this address had better all go the usual way."""
        return self._left < 0


class ShortestWay:
    """Over the parts of one core."""

    def __init__(
        self,
        buffer: Buffer,
        batch: Batch,
        routes: Routes,
        named: Named,
        budget: Budget,
        ledger: Ledger,
        redelivered: Redelivered,
        unasked: Unasked,
        max_payload: int,
    ) -> None:
        self._buffer, self._batch, self._routes, self._named, self._budget = buffer, batch, routes, named, budget
        self._ledger, self._redelivered, self._unasked, self._max_payload = ledger, redelivered, unasked, max_payload
        self._admitted: set[str] = set()  # addresses that name a device which is served and known
        self._addresses: dict[str, _Address | None] = {}  # of this batch
        self._first: dict[str, _First] = {}  # of the device that the first message named
        self.usual: set[str] = set()  # addresses whose messages all go the usual way

    def begin(self) -> None:
        """A new batch. What is known of an address is of the device of its first message: both go together."""
        self._addresses.clear()
        if len(self._first) >= _MOST_ADDRESSES:
            self._first.clear()
            self._admitted.clear()

    def add(self, messages: Sequence[Incoming], first: int, arrival: int, number: int, most: int) -> tuple[int, int]:
        """Put messages into the batch, from the place `first` on, until one has to go the usual way or the batch has
        `most` rows. `number`: of the last arrival. Returns the place of the next message, and that number.
        """
        batch, ledger, redelivered, addresses = self._batch, self._ledger, self._redelivered, self._addresses
        longest, oldest, admitted = self._max_payload, self._buffer.pruned_before, self._admitted
        if self._buffer.held.full:
            return first, number
        for place in range(first, len(messages)):
            address, payload, at, retain, old, bulk, delivery = message = messages[place]
            known = addresses[address] if address in addresses else self._address(address, payload, arrival)
            if known is None or retain or old or bulk or len(payload) > longest or len(batch.plain_value) >= most:
                break
            route, plain, name, allowance = known
            if at:
                allowance = self._budget.of((route.city, route.sender), at)
            found = plain.read(payload, at or arrival)
            if found is None or (delivery is not None and delivery.duplicate):
                break
            shape, values, t, record = found
            if (
                (t is not None and t < oldest)
                or allowance.readings <= 0
                or not (route.paced or allowance.messages >= 1)
            ):
                break
            if (address not in admitted and not self._admits(address, known)) or (record and ledger.has_undated(*name)):
                break
            kinds = (shape.kinds.get(name) if shape.of is batch.generation else None) or batch.known(name, shape)
            if not kinds or (shape.unasked and not self._unasked.count(route.city, shape.unasked)):
                break
            allowance.readings -= len(values)
            allowance.messages -= not route.paced
            if plain.frames is not None:
                batch.declare(name, plain.frames)
            if t is None:
                number += 1
                batch.plain.append((kinds, number * PLACES, at or arrival, place))
                batch.plain_value += values
                redelivered.take_new(message, delivery, len(values))
            else:
                batch.add_dated(kinds, values, t, at or arrival, place, record and Line(*name, *record, True))
                redelivered.take_new(message, delivery)
        else:
            place = len(messages)
        return place, number

    def _address(self, address: str, payload: bytes, arrival: int) -> _Address | None:
        """The address for the rest of this batch; None where its messages go the usual way."""
        found = plain = None
        try:
            route = self._routes.find(address)
        except Rejected:
            route = None
        if route is not None and route.plain:
            plain = route.plain if route.plain.of is None else self._by_payload(address, route.plain, payload)
        if route is not None and plain:
            allowance = self._budget.of((route.city, route.sender), arrival)
            found = _Address(route, plain, (route.city, plain.device), allowance)
        self._addresses[address] = found
        if route is None or route.plain is None:
            _remember(address, self.usual)
        return found

    def _by_payload(self, address: str, plain: Plain, payload: bytes) -> Plain | None:
        """The way of the messages that name the device that the first one named; see `begin`."""
        first = self._first.get(address)
        if first is None and len(payload) <= self._max_payload and len(self._first) < _MOST_ADDRESSES:
            found = plain.of(payload) if plain.of and len(address) <= _LONGEST_ADDRESS else None
            if found is not None:
                first = self._first[address] = _First(found)
        if first is None:
            return None
        if first.is_rare:
            _remember(address, self.usual)
            return None
        return first.plain

    def _admits(self, address: str, known: _Address) -> bool:
        """Whether the device is served, and one that its sender may name."""
        city, device = known.name
        try:
            self._routes.check_served(city, device)
        except Rejected:
            return False
        named = known.route.device or self._named.allows(city, device, known.route.sender, OTHERS)
        if not named:
            return False
        _remember(address, self._admitted)
        return True


def _remember(address: str, known: set[str]) -> None:
    if len(address) <= _LONGEST_ADDRESS:
        if len(known) >= _MOST_ADDRESSES:
            known.clear()
        known.add(address)
