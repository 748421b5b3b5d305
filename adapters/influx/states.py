"""Checkpoints of the KPI engine in InfluxDB 1.x and 2: `States` where there are no transactions.

- `hours_written`: tag city, one row a UTC day at its last millisecond; `number` of the last write of hours of that day.
  It lies in the shard of these hours, and is written in their request or before them: a crash between leaves a day that
  is folded again. Numbers grow by random steps: a database that was lost or put back from a copy has none twice.
- `checkpoint_part`: tags city, part and slot; one row a piece at 0, 1, 2... ms; `data` in base64.
- `checkpoint`: tag city, time 0; `head` names slot, pieces and digest of the part `head`, which names the other parts.

The two slots of a part take turns, and the row `checkpoint` is written last: until then the one before is whole. What
it no longer names is overwritten by the checkpoint after it, so nothing is deleted.

A checkpoint contains the number of each day as its process knew it. A day that has another one at a start, also an
older one, is folded again; where one is missing, the database has lost hours, and the checkpoint is passed over.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from adapters.influx.answers import COUNTS, LIMIT, between, one_of, text
from adapters.influx.http import Answer, Connection, PartialWrite, UnreadableAnswer
from adapters.influx.lines import quoted, tag
from adapters.influx.pool import Senders
from adapters.states import days_of
from telemetry.partials import Partials
from telemetry.series import SeriesTable
from telemetry.windows import DAY

log = logging.getLogger(__name__)

_PIECE = 36 << 10  # bytes of one string: 48 KiB in base64, of the 64 that InfluxDB documents
_BODY = 1 << 19  # characters of one request: with the last row below 1 MB, which a proxy may limit it to
_NAMED = 100  # parts in one question
_HEAD = "head"
_SLOTS = "ab"
_ROWS = msgspec.json.Decoder(Answer[tuple[int, str]])

Place = tuple[str, int]  # slot, and number of pieces


class _Stored(msgspec.Struct, array_like=True):
    """A checkpoint: its head, where its parts are, and the number of each day."""

    head: bytes
    places: dict[str, Place]
    numbers: dict[int, int]


@dataclass
class _Written:
    """The numbers of a city's days as this process knows them. `last`: the largest that was given."""

    numbers: dict[int, int]
    last: int = field(init=False)

    def __post_init__(self) -> None:
        """Go on behind what others have given."""
        self.last = max(self.numbers.values(), default=0)

    def next(self) -> int:
        """A number that no write has had: some 4 billion writes fit."""
        self.last += 1 + secrets.randbits(32)
        return self.last


class InfluxStates:
    """See States."""

    def __init__(self, connection: Connection, senders: Senders) -> None:
        self._connection, self._senders = connection, senders
        self._lock = threading.Lock()
        self._written: dict[str, _Written | None] = {}  # None: the server answers no questions
        self._stored: dict[str, tuple[str, _Stored]] = {}  # the row of each city and what it names, without the head

    @contextmanager
    def numbered(self, hours: Partials, table: SeriesTable) -> Iterator[list[str]]:
        """The lines that number a write of hours, to be stored with them or before. The block stores both.

        Where it fails, the server has another number of these days than this process, so that they are folded again.
        """
        lines, given = list[str](), list[tuple[_Written, dict[int, int]]]()
        for city, days in days_of(hours, table):
            with self._lock:
                written = self._of(city)
                number = written.next() if written else 0
            if written:
                head = f"hours_written,city={tag(city)} number={number}i"
                lines += [f"{head} {min(day + DAY - 1, LIMIT)}" for day in days]
                given.append((written, dict.fromkeys(days, number)))
        yield lines
        for written, numbers in given:
            written.numbers.update(numbers)

    def _of(self, city: str) -> _Written | None:
        """What is known of the city's days, read at the first use."""
        if city not in self._written:
            query = f'SELECT "number" FROM "hours_written" WHERE "city" = {text(city)}'  # noqa: S608
            try:
                rows = [row for piece in self._connection.query(query, COUNTS) for row in piece.values]
                self._written[city] = _Written({t // DAY * DAY: number for t, number in rows})
            except UnreadableAnswer:  # a server that supports InfluxDB's writes but not its queries
                self._written[city] = None
        return self._written[city]

    def _numbers(self, city: str) -> dict[int, int] | None:
        with self._lock:
            written = self._of(city)
            return dict(written.numbers) if written else None

    def number(self, city: str) -> int:
        """See States."""
        return max((self._numbers(city) or {}).values(), default=0)

    def days_after(self, city: str, number: int) -> list[int]:
        """See States; also days that have another number than the stored checkpoint knows, or had none."""
        numbers = self._numbers(city) or {}
        known = self._stored[city][1].numbers if city in self._stored else numbers
        return sorted(day for day, last in numbers.items() if last > number or last != known.get(day))

    def head(self, city: str) -> bytes | None:
        """See States; None also where the database has lost hours that are in the checkpoint."""
        with self._lock:
            self._written.pop(city, None)
        self._stored.pop(city, None)
        numbers = self._numbers(city)
        stored = None if numbers is None else self._read(city)
        if stored is None or numbers is None:
            return None
        if not stored.numbers.keys() <= numbers.keys():
            log.info("the store has lost hours that are in the checkpoint of %s, which is passed over", city)
            return None
        return stored.head

    def parts(self, city: str) -> dict[str, bytes]:
        """See States."""
        stored = self._read(city)
        return self._data(city, stored.places) if stored else {}

    def put(self, city: str, parts: Iterable[tuple[str, bytes | None]], head: Callable[[], bytes]) -> bool:
        """See States; a database with a retention takes none, because it deletes the hours of a checkpoint."""
        if (numbers := self._numbers(city)) is None:
            return False
        row = self._row(city)
        before = self._read(city)
        places: dict[str, Place] = {}

        def pieces() -> Iterator[str]:
            for name, data in parts:
                old = before.places.get(name) if before else None
                if data is not None:
                    places[name] = _place(old, data)
                    yield from _lines(city, name, places[name][0], data)
                elif old:
                    places[name] = old

        try:
            self._senders.write(self._connection.write_all, _bodies(pieces()))
            data = zlib.compress(msgspec.msgpack.encode(_Stored(head(), places, numbers)), 1)
            slot, count = _place((row[:1], 0), data)
            self._senders.write(self._connection.write_all, _bodies(_lines(city, _HEAD, slot, data)))
            self._name(city, row := f"{slot} {count} {hashlib.sha256(data).hexdigest()}")
        except PartialWrite as error:
            log.info("the store cannot hold a checkpoint of %s, so its next start reads the history: %s", city, error)
            return False
        self._stored[city] = row, _Stored(b"", places, numbers)
        return True

    def drop(self, city: str) -> None:
        """See States; what the row has named is overwritten by the next checkpoint."""
        if self._row(city):
            self._name(city, "")

    def _name(self, city: str, row: str) -> None:
        self._connection.write_all(f"checkpoint,city={tag(city)} head={quoted(row)} 0")

    def _row(self, city: str) -> str:
        """What the row of the city names; empty where there is none."""
        query = f'SELECT "head" FROM "checkpoint" WHERE "city" = {text(city)} AND time = 0'  # noqa: S608
        return "".join(row[1] for piece in self._connection.query(query, _ROWS) for row in piece.values)

    def _read(self, city: str) -> _Stored | None:
        """The stored checkpoint; without its head where it was read before, None where it is damaged."""
        row = self._row(city)
        if not row:
            return None
        if self._stored.get(city, ("",))[0] == row:
            return self._stored[city][1]
        try:
            slot, count, digest = row.split()
            data = self._data(city, {_HEAD: (slot, int(count))})[_HEAD]
            if hashlib.sha256(data).hexdigest() != digest:
                raise ValueError("its head is not what was stored")
            stored = msgspec.msgpack.decode(zlib.decompress(data), type=_Stored)
        except (ValueError, zlib.error, msgspec.MsgspecError) as error:
            log.warning("the checkpoint of %s is damaged and passed over: %s", city, error)
            return None
        self._stored[city] = row, msgspec.structs.replace(stored, head=b"")
        return stored

    def _data(self, city: str, places: Mapping[str, Place]) -> dict[str, bytes]:
        """The bytes of these parts; fewer, or none, of one that is damaged."""
        pieces: dict[str, list[str]] = {name: [] for name in places}
        for slot in _SLOTS:
            names = [name for name, place in places.items() if place[0] == slot]
            for start in range(0, len(names), _NAMED):
                where = [f'"city" = {text(city)}', f'"slot" = {text(slot)}', *between(0, DAY)]
                where.append(one_of("part", names[start : start + _NAMED]))
                query = f'SELECT "data" FROM "checkpoint_part" WHERE {" AND ".join(where)} GROUP BY "part"'  # noqa: S608
                for piece in self._connection.query(query, _ROWS):
                    pieces[piece.tags["part"]] += [row[1] for row in piece.values]
        return {name: _joined(found[: places[name][1]]) for name, found in pieces.items()}


def _place(before: Place | None, data: bytes) -> Place:
    """Where a part goes: not where the stored checkpoint has it."""
    slot = _SLOTS[1] if before and before[0] == _SLOTS[0] else _SLOTS[0]
    return slot, max(-(-len(data) // _PIECE), 1)


def _lines(city: str, name: str, slot: str, data: bytes) -> Iterator[str]:
    """The rows of a part."""
    head = f"checkpoint_part,city={tag(city)},part={tag(name)},slot={slot}"
    for number, start in enumerate(range(0, max(len(data), 1), _PIECE)):
        yield f'{head} data="{b64encode(data[start : start + _PIECE]).decode()}" {number}'


def _bodies(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines as bodies of requests."""
    waiting, size = list[str](), 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _BODY:
            yield "\n".join(waiting).encode()
            waiting, size = [], 0
    if waiting:
        yield "\n".join(waiting).encode()


def _joined(pieces: Iterable[str]) -> bytes:
    try:
        return b"".join(b64decode(piece, validate=True) for piece in pieces)
    except ValueError:
        return b""
