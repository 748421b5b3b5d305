"""The job of a divided city: hours of its districts into KPI values. Pure.

What a district sends of a tick is kept in the state until every district has sent all of its parts; only then it is
applied, in the order of the log for the file and what was moved, and values are derived at the time of the tick. So the
values do not depend on which district was faster.
"""

from __future__ import annotations

from scale.districts import MADE, PART, part_of
from scale.job import CityJob, RejectedRecord
from scale.records import Record, decoded
from scale.state import State
from telemetry.errors import Rejected
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials
from telemetry.wire import decode

_KEPT = (f"{PART}/", "parts/", "arrived/")


class MergingJob(CityJob):
    """One city of `count` districts."""

    def __init__(self, city: str, state: State, count: int, width: int = 60_000) -> None:
        self._count = count
        super().__init__(city, state, width)

    def _values(self, record: Record) -> list[StoredKpi]:
        if record.kind != PART:
            raise Rejected(f"a record of kind '{record.kind}' for a city of {self._count} districts")
        part = part_of(record.payload)
        if part.payload:
            self._state[f"{PART}/{part.tick}/{part.district}/{part.place}"] = part.payload
        if not part.last:
            return []
        self._state[f"parts/{part.tick}/{part.district}"] = str(part.last).encode()
        arrived = int(self._state.get(f"arrived/{part.tick}", b"0")) + 1
        self._state[f"arrived/{part.tick}"] = str(arrived).encode()
        return self._merged(part.tick, record.time) if arrived == self._count else []

    def _merged(self, tick: int, now: int) -> list[StoredKpi]:
        """The values of a tick of which everything is there."""
        hours = []
        for value in self._taken(tick):
            record = decoded(value)
            if record.kind == MADE:
                hours.append(decode(record.payload, self._store.table)[2])
                continue
            try:
                super()._values(record)
            except Rejected as reason:
                self._rejected.append(RejectedRecord(value, str(reason)))
        if hours and self._ingest is not None:
            self._ingest.take_hours(Partials.concat(hours).latest())
        return self._derive(now)

    def _taken(self, tick: int) -> list[bytes]:
        """The parts of a tick, those of the first district first, removed from the state."""
        found = []
        for district in range(self._count):
            for place in range(int(self._state.pop(f"parts/{tick}/{district}"))):
                if (payload := self._state.pop(f"{PART}/{tick}/{district}/{place}", None)) is not None:
                    found.append(payload)
        del self._state[f"arrived/{tick}"]
        return found

    def _forget(self) -> None:
        """Drop everything but what districts have sent of later ticks."""
        kept = {key: self._state[key] for key in list(self._state) if key.startswith(_KEPT)}
        super()._forget()
        self._state.update(kept)
