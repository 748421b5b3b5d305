"""A reading is dated once: a repeated one, dated by its arrival or by its own clock, keeps its first time.

A numbered record that is dated by its arrival and is delivered repeatedly is recognised by its number. Whether it is
the same record is checked against the stored value: a device that uses numbers twice is rejected with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.sqlite.buffer import NUMBERED, Buffer
from gateway.batch import Batch
from gateway.decoding.decoded import Decoded, Row
from gateway.ledger import Ledger
from gateway.routes import Route
from telemetry.series import Series

_RENUMBERED = (
    "boot {} and seq {} arrived before with other values: these numbers do not identify a record. If they are not"
    " counts of records, list boot and seq under ignore of the source"
)


class Stamping:
    """The messages of one batch after another, on their way into `batch`."""

    def __init__(self, buffer: Buffer, ledger: Ledger, batch: Batch) -> None:
        self._buffer, self._ledger, self._batch = buffer, ledger, batch
        self._numbered: dict[tuple[int, int], float] = {}  # (series, key) of numbered records in the batch -> value
        self.counted = 0  # lines of the batch that the ledger has counted
        self.repeated = 0  # readings of the batch that were stored before and are left out

    def begin(self) -> None:
        """A new batch."""
        self._numbered.clear()
        self.counted = self.repeated = 0

    def add_dated(self, route: Route, rows: Decoded, arrival: int, place: int) -> list[str]:
        """Put rows that their device dated into the batch; returns the problems found."""
        city, device = route.city, route.device
        if rows.records and self._ledger.has_undated(city, device):
            self._leave_out(rows, {i for i, n in enumerate(rows.records) if self._ledger.undated(city, device, *n)})
        return self._batch.add(city, device, rows, arrival, place)

    def add(self, route: Route, rows: Decoded, arrival: int, place: int, kept: bool, numbered: bool) -> list[str]:
        """Put rows without a time of their own into the batch; returns the problems found.

        A reading keeps its first time: neither its next arrival nor the device's clock, set in between, may change
        it, else it would be stored twice.
        """
        city, device = route.city, route.device
        if not (rows.records or kept):
            return self._batch.add(city, device, rows, arrival, place)
        self._count(arrival)
        undated = {i for i, n in enumerate(rows.records) if self._ledger.undated(city, device, *n)}
        known = {i for i, n in enumerate(rows.records) if self._ledger.is_counted(city, device, *n)}
        held = self._held(city, device, rows, numbered) if kept else set()
        # A rejected record is counted and not stored. A held one was dated by this very message.
        came_before = undated - held if kept or not rows.by_arrival else undated | known
        renumbered = self._renumbered(city, device, rows, came_before)
        self._leave_out(rows, came_before, came_before - renumbered)
        if not numbered and kept:
            self._leave_out_stored(city, device, rows)
        rows.problems += [_RENUMBERED.format(*rows.records[i]) for i in sorted(renumbered)]
        problems = self._batch.add(city, device, rows, arrival, place)
        self._note_numbered(city, device, rows)
        lines = self._batch.lines[self.counted :]
        self._count(arrival)
        for record, line in enumerate(lines[: len(rows.records)]):
            if kept and line.stored and record in known - undated - held:
                self._ledger.mark_stored(*line[:4])
        return problems

    def _count(self, arrival: int) -> None:
        """Count the records of the batch so far: one may be in it twice."""
        self._ledger.count(self._batch.lines[self.counted :], arrival)
        self.counted = len(self._batch.lines)

    def _converted(self, city: str, device: str, rows: Decoded) -> Iterator[tuple[Row, int, float]]:
        """The rows that can be stored, with their series and their values in catalogue units."""
        for row in rows.rows:
            kind = self._batch.kind(city, device, row[0], row[1])
            if self._batch.problem(kind) is None:
                yield row, self._buffer.table.id_of(Series(city, device, row[0])), self._batch.converted(kind, row[2])

    def _renumbered(self, city: str, device: str, rows: Decoded, records: set[int]) -> set[int]:
        """Of these repeated records, those that had other values before: their numbers do not identify them."""
        found = set()
        for row, series, value in self._converted(city, device, rows) if records else ():
            if row[5] in records and row[4] >= NUMBERED:
                before = self._numbered.get((series, row[4]))
                before = self._buffer.value_of(series, row[4]) if before is None else before
                if before is not None and before != value:
                    found.add(row[5])
        return found

    def _note_numbered(self, city: str, device: str, rows: Decoded) -> None:
        if rows.by_arrival and rows.records:
            for row, series, value in self._converted(city, device, rows):
                if row[4] >= NUMBERED:
                    self._numbered[series, row[4]] = value

    def _held(self, city: str, device: str, rows: Decoded, numbered: bool) -> set[int]:
        """The records of which a reading is stored, with the very identity it has here.

        A message that an older program stored has no number: there an equal value means the same reading.
        """
        found = set()
        for row, series, value in self._converted(city, device, rows):
            there = self._buffer.values_at(series, row[3])
            if row[4] in there or (not numbered and value in there.values()):
                found.add(row[5])
        return found

    def _leave_out_stored(self, city: str, device: str, rows: Decoded) -> None:
        """Of a message kept by an older program, leave out the readings that were stored when it arrived."""
        stored = {
            id(row)
            for row, series, value in self._converted(city, device, rows)
            if 0 < row[4] < NUMBERED and value in self._buffer.values_at(series, row[3]).values()
        }
        rows.rows = [row for row in rows.rows if id(row) not in stored]

    def _leave_out(self, rows: Decoded, records: set[int], repeated: set[int] | None = None) -> None:
        """Drop the rows of these records; those of `repeated` (default: all) are counted as duplicates."""
        if records:
            came_before = records if repeated is None else repeated
            self.repeated += sum(row[5] in came_before for row in rows.rows)
            rows.rows = [row for row in rows.rows if row[5] not in records]
