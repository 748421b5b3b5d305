"""Which windows go into which message, and when the next messages may be sent. Pure.

A message holds windows of one city and has a number that only grows; a receipt with this number confirms that they are
stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adapters.sqlite.buffer import Dirty
from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import is_due

PER_MESSAGE = 2000  # windows in one message: about 300 kB
RECEIPT_MS = 5000  # a backlog waits this long for ingest to have stored what was sent of it


@dataclass(slots=True)
class Flight:
    """Messages that were sent: `mids` the broker has not acknowledged, `numbers` ingest has not stored. `since`: ms.

    One that `is_full` is the first part of a backlog. The next one waits until it is stored: windows in the central
    broker's queue are stored in order, and a live window must not wait behind a whole backlog.
    """

    is_full: bool
    mids: set[int]
    numbers: set[int]
    since: int

    def over(self, now: int) -> bool:
        """Whether the next one may be sent. `now`: ms UTC."""
        paced = not self.is_full or not self.numbers or is_due(self.since + RECEIPT_MS, now, RECEIPT_MS)
        return paced and not self.mids


class NumberedWindows(NamedTuple):
    """The windows and the number of one message."""

    number: int
    city: str
    partials: Partials


def window_messages(partials: Partials, table: SeriesTable, after: int) -> list[NumberedWindows]:
    """The windows a city and 2000 a message, numbered from `after` + 1."""
    cities = np.array([s.city for s in table.all])
    place = cities[partials.series] if len(partials) else cities[:0]
    found: list[NumberedWindows] = []
    for city in np.unique(place).tolist():
        mine = partials.take(place == city)
        for start in range(0, len(mine), PER_MESSAGE):
            found.append(NumberedWindows(after + 1 + len(found), city, mine.take(slice(start, start + PER_MESSAGE))))
    return found


def carriers(dirty: Dirty, sent: list[NumberedWindows]) -> IntArray:
    """The number of the message that carries each dirty window; of one without readings the first message's."""
    numbers = {
        pair: message.number
        for message in sent
        for pair in zip(message.partials.series.tolist(), message.partials.start.tolist(), strict=True)
    }
    first = sent[0].number
    pairs = zip(dirty.series.tolist(), dirty.window.tolist(), strict=True)
    return np.array([numbers.get(pair, first) for pair in pairs], dtype=np.int64)
