"""The identity of a reading without a time of its own. Pure.

Its time is the arrival at this gateway, which many readings can share: messages that waited at the broker arrive within
one millisecond, in one batch or in several, and a clock may be set back. So its key identifies the reading:

- a record that its device numbered has the device's boot and record number as its key, so that a register read twice
  in one millisecond is summed in the order of the records;
- everything else has the number of its message among all that this gateway received, and its place in the message.

Arrival numbers only grow, also over restarts: they are kept in the transaction that stores the readings.
"""

from __future__ import annotations

from adapters.sqlite.buffer import NUMBERED
from gateway.decoding.decoded import BY_ARRIVAL, Row

PLACES = 1 << 20  # readings of one message
_BOOTS, _SEQS = 1 << 32, 1 << 30  # our nodes' boots are below; larger numbers do not fit into a key


def with_keys(rows: list[Row], records: list[tuple[int, int]], number: int) -> list[Row]:
    """The rows of message `number`, each BY_ARRIVAL replaced by a key that no other reading has.

    A place counts the readings of one quantity, so that it stays the same when other names are mapped or ignored later.
    """
    places: dict[str, int] = {}
    named: set[tuple[str, int]] = set()
    first, found = number * PLACES, list[Row]()
    for quantity, unit, value, t, given, record in rows:
        key = given
        if given == BY_ARRIVAL:
            place = places.get(quantity, 0)
            places[quantity] = place + 1
            key = first + place % PLACES
            if record >= 0 and (quantity, record) not in named:
                named.add((quantity, record))
                boot, seq = records[record]
                if boot < _BOOTS and seq < _SEQS:
                    key = NUMBERED + boot * _SEQS + seq
        found.append((quantity, unit, value, t, key, record))
    return found
