"""The records of a simulated node, like the firmware's flash ring: numbered, freed by acknowledgement, re-readable.

An acknowledged record stays until newer ones replace it, because a broker can lose what it acknowledged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

KEPT = 2000


class Record(NamedTuple):
    """One numbered record: its SenML records, with boot and seq."""

    boot: int
    seq: int
    entries: list[dict[str, Any]]


class Journal:
    """The records of one node, newest last."""

    def __init__(self, boot: int, kept: int | None = KEPT) -> None:
        self.boot = boot
        self.records: deque[Record] = deque(maxlen=kept)
        self._seq = 0
        self._before: tuple[int, int] | None = None  # the last record of the boot before
        self._open: dict[int, list[Record]] = {}

    def write(self, entries: list[dict[str, Any]]) -> Record:
        """Number a record and store it."""
        record = Record(self.boot, self._seq, entries)
        entries[0] |= {"boot": self.boot, "seq": self._seq}
        if self._seq == 0 and self._before is not None:
            entries[0] |= {"pboot": self._before[0], "pseq": self._before[1]}
        self._seq += 1
        self.records.append(record)
        return record

    def find(self, boot: int, first: int, last: int) -> list[Record]:
        """The stored records of a range."""
        return [r for r in self.records if r.boot == boot and first <= r.seq <= last]

    def sent(self, message: int, records: Iterable[Record]) -> None:
        """A message contains these records; they count as sent once it is acknowledged."""
        self._open[message] = list(records)

    def acknowledged(self, messages: Iterable[int]) -> list[Record]:
        """The broker has acknowledged the records of these messages."""
        return [record for message in messages for record in self._open.pop(message, [])]

    def restart(self, boot: int) -> list[Record]:
        """Restart with another boot number; returns the unacknowledged records, which must be sent."""
        again = [record for records in self._open.values() for record in records]
        self._open.clear()
        self._before = (self.boot, self._seq - 1) if self._seq else self._before
        self.boot, self._seq = boot, 0
        return again


def payload(records: Iterable[Record]) -> bytes:
    """Records as one SenML pack."""
    return msgspec.json.encode([entry for record in records for entry in record.entries])
