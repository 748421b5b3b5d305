"""The shortest way of a message into the batch: numbers of one known device, within its budget.

A message for which a condition fails goes the usual way, which gives the same readings or the reason of a reject.
"""

from __future__ import annotations

from adapters.sqlite.buffer import Buffer
from gateway.batch import Batch
from gateway.decoding.plain import Message, Plain
from gateway.incoming import Incoming
from gateway.routes import Route, Routes
from gateway.senders.budget import Budget
from gateway.senders.named import OTHERS, Named

_MOST_ADDRESSES, _LONGEST_ADDRESS = 100_000, 128  # that are remembered


class ShortestWay:
    """Over the parts of one core."""

    def __init__(self, buffer: Buffer, batch: Batch, routes: Routes, named: Named, budget: Budget) -> None:
        self._buffer, self._batch, self._routes, self._named, self._budget = buffer, batch, routes, named, budget
        self._admitted: set[str] = set()  # addresses that name a device which is served and known

    def read(self, message: Incoming, route: Route, plain: Plain, arrival: int) -> Message | None:
        """A message that can be stored as it is, and has been charged to its sender; None for any other.

        Raises NotServed.
        """
        if message.retain or message.number or message.bulk or self._buffer.held.full:
            return None
        found = plain.read(message.payload, arrival)
        if found is None or (found.t is not None and found.t < self._buffer.pruned_before):
            return None
        allowance = self._budget.of((route.city, route.sender), arrival)
        if allowance.readings <= 0 or not (route.paced or allowance.messages >= 1):
            return None
        if not (self._admits(message.address, route, plain) and self._batch.knows(route.city, plain, found.shape)):
            return None
        allowance.readings -= len(found.values)
        allowance.messages -= not route.paced
        return found

    def _admits(self, address: str, route: Route, plain: Plain) -> bool:
        """Whether the device is served, and one that its sender may name."""
        if address in self._admitted:
            return True
        self._routes.check_served(route.city, plain.device)
        if not self._named.allows(route.city, plain.device, route.sender, OTHERS):
            return False
        if len(address) <= _LONGEST_ADDRESS:
            if len(self._admitted) >= _MOST_ADDRESSES:
                self._admitted.clear()
            self._admitted.add(address)
        return True
