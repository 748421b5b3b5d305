"""Which received messages are stored next: those with few windows first, the others in parts. Pure.

A gateway sends windows of events by themselves, and 20,000 windows of meters behind them or before. A round of all of
them takes a second and more, and every message that arrives meanwhile waits for it. Receipts and acknowledgements
stay in the order of arrival: both sides take a message to be stored when a later one is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.mqtt.link import Message
from telemetry.partials import Partials
from telemetry.wire import number

FEW_BYTES = 32_768  # of a message with at most some 200 windows
PART_BYTES = 1_000_000  # about 6,000 windows


@dataclass(slots=True, eq=False)
class Waiting:
    """A received message. `number`: the gateway's, 0 for none. `overtaken`: a newer one of its gateway came before."""

    message: Message
    arrival: int
    number: int
    overtaken: bool = False
    is_stored: bool = False

    @property
    def is_few(self) -> bool:
        """Whether it has few windows."""
        return len(self.message.payload) <= FEW_BYTES


class Rounds:
    """The messages that are received and not acknowledged yet."""

    def __init__(self) -> None:
        self._queue: deque[Waiting] = deque()
        self._arrivals = 0
        self._ahead: dict[tuple[int, int], int] = {}  # series and start -> arrival of the message it is stored from

    def __len__(self) -> int:
        return len(self._queue)

    def numbered(self) -> list[tuple[str, int]]:
        """Topic and number of all, in the order of arrival."""
        return [(one.message.topic, one.number) for one in self._queue]

    def add(self, batch: Iterable[Message]) -> list[Waiting]:
        """Append messages that have arrived."""
        fresh = []
        for message in batch:
            self._arrivals += 1
            fresh.append(Waiting(message, self._arrivals, number(message.payload)))
        self._queue += fresh
        return fresh

    def next(self) -> list[Waiting]:
        """The messages to store now, in the order of arrival: all with few windows, and a part of the others."""
        found, size = [], 0
        for one in self._queue:
            if one.is_stored or one.overtaken:
                continue
            if not one.is_few:
                if size and size + len(one.message.payload) > PART_BYTES:
                    size = PART_BYTES  # none behind it may pass it
                    continue
                size += len(one.message.payload)
            found.append(one)
        return found

    def newest(self, one: Waiting, windows: Partials) -> Partials:
        """Without windows of which a message that arrived later is stored; those of one that passed others are noted.

        `windows`: what is stored of this message.
        """
        if self._ahead:
            pairs = zip(windows.series.tolist(), windows.start.tolist(), strict=True)
            current = [self._ahead.get(pair, 0) <= one.arrival for pair in pairs]
            windows = windows.where(np.array(current, dtype=np.bool_))
        if one.is_few and any(not (w.is_stored or w.overtaken) and w.arrival < one.arrival for w in self._queue):
            pairs = zip(windows.series.tolist(), windows.start.tolist(), strict=True)
            self._ahead |= dict.fromkeys(pairs, one.arrival)
        return windows

    def stored(self, some: Sequence[Waiting]) -> list[Waiting]:
        """Note that these are stored, or kept with a reason; the messages that can be acknowledged now, in order."""
        for one in some:
            one.is_stored = True
        done = []
        while self._queue and (self._queue[0].is_stored or self._queue[0].overtaken):
            done.append(self._queue.popleft())
        first = self._queue[0].arrival if self._queue else self._arrivals
        self._ahead = {window: arrival for window, arrival in self._ahead.items() if arrival > first}
        return done

    def clear(self) -> None:
        """Forget all: the broker redelivers them."""
        self._queue.clear()
        self._ahead.clear()
