"""A city that is larger than a core: its devices divided into districts, each with a job that makes hours of windows.

    log --split--> windows of a district --> hours, sent at each tick --> days and KPI values by one job of the city

The hours of a device rest on its own windows, so they are those of the undivided city. What a tick derives is what came
before it in the log: the job of the city waits until all districts have sent what that tick found (`merging.py`). Every
record of a tick bears its number, because each district counts the same ticks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

import numpy as np

from adapters.store import CityRecord
from ingest.senders import Senders
from kpi_derivation.engine.hour_maker import HourMaker
from kpi_derivation.engine.recent import Recent
from registry.city import City
from scale.job import CityJob, Output
from scale.moving import FORGET, HOURS, VALUES, WINDOWS
from scale.records import Record, decoded
from scale.state import State
from telemetry.errors import Rejected
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable
from telemetry.topics import ROOT
from telemetry.windows import DAY, HOUR
from telemetry.wire import decode, encode, number

PART, MADE = "part", "hours"
_ROWS = 2000  # hours of one record
_FORWARDED = (FORGET, HOURS, VALUES, "file")  # what the job of the city needs, by way of the first district


class District(NamedTuple):
    """The key of a district: the city, the number from 0 on, and how many districts the city has (`among`)."""

    city: str
    number: int
    among: int

    @property
    def key(self) -> str:
        """As text: lagos/3/8."""
        return "/".join(map(str, self))


def district(key: str) -> District:
    """The district of this key."""
    city, own, among = key.split("/")
    return District(city, int(own), int(among))


class Part(NamedTuple):
    """A part of what a district sends with a tick. `last`: how many parts there are in all, 0 before the last one."""

    tick: int
    district: int
    place: int
    last: int
    payload: bytes  # a whole record of the log; empty for none

    def record(self, city: str, time: int) -> Record:
        """The part as a record. `time`: of the tick, ms UTC."""
        head = f"{self.tick} {self.district} {self.place} {self.last}\n".encode()
        return Record(f"{ROOT}/{city}/{PART}", time, head + self.payload)


def part_of(payload: bytes) -> Part:
    """The part that this payload holds. Raises Rejected."""
    head, _, rest = payload.partition(b"\n")
    try:
        tick, from_, place, last = (int(word) for word in head.split(b" "))
        return Part(tick, from_, place, last, rest)
    except ValueError as error:
        raise Rejected("not a part of a district") from error


def district_of(device: str, count: int) -> int:
    """The district of a device: the same on every machine."""
    return crc32(device.encode()) % count


def split(value: bytes, count: int) -> Iterator[tuple[District, bytes]]:
    """A record of a divided city as records of its districts: windows by device, others to each. Raises Rejected."""
    record = decoded(value)
    every = [District(record.city, n, count) for n in range(count)]
    if record.kind not in ("windows", WINDOWS):
        yield from ((one, value) for one in every)
        return
    table = SeriesTable()
    city, width, partials = decode(record.payload, table)
    home = np.array([district_of(name.device, count) for name in table.all], dtype=np.int64)[partials.series]
    for n in np.unique(home).tolist():
        payload = encode(city, width, partials.where(home == n), table, number(record.payload))
        yield every[n], record._replace(payload=payload).encoded()


class DistrictJob(CityJob):
    """One district: a record in, and at each tick the hours that changed as records for the job of the city.

    Of the city's file it uses its own devices.
    """

    def __init__(self, home: District, state: State, width: int = 60_000) -> None:
        self._home = home
        self._sent: list[bytes] = []
        super().__init__(home.city, state, width)

    def take(self, value: bytes) -> Output:
        """See CityJob; `onward` has what is for the job of the city."""
        self._sent = []
        output = super().take(value)
        return output._replace(onward=self._sent)

    def _begin(self) -> None:
        self._maker: HourMaker | None = None
        super()._begin()

    @property
    def _has_file(self) -> bool:
        return self._maker is not None

    def _serve(self, city: City, width: int) -> None:  # noqa: ARG002 - as CityJob
        """Make hours by this city file from now on."""
        own = [d for d in city.device if district_of(d.id, self._home.among) == self._home.number]
        mine = city.model_copy(update={"device": own})
        self._senders = Senders(self._owners, {city.id: mine})
        table = self._store.table
        table.set_rollovers(city.id, city.rollovers)
        self._recent = Recent(self._store, city.id, "window", table, keep=2 * HOUR)
        if span := self._store.span(self._id, "window"):
            self._recent.start(span[1])
        self._city, self._maker = city, HourMaker(mine, table, self._recent)

    def _values(self, record: Record) -> list[StoredKpi]:
        if record.kind in _FORWARDED and self._home.number == 0:
            self._send(record.encoded(), record.time)
        if record.kind in (HOURS, VALUES):
            return []  # of the job of the city
        return super()._values(record)

    def _forget(self) -> None:
        """Drop everything but the count of ticks, which all districts and the job of the city share."""
        kept = {key: self._state[key] for key in ("ticks", "parts") if key in self._state}
        super()._forget()
        self._state.update(kept)

    def _derive(self, now: int) -> list[StoredKpi]:
        """A tick: send the hours that have changed since the last one."""
        windows = self._store.waited()
        self._store.put_partials("window", windows, self._store.table)
        if self._maker is not None:
            self._recent.add(windows)
            for changed in (*self._of_a_new_file(), windows):
                if len(changed):
                    self._send_hours(self._maker.hours_of(changed), now)
            self._recent.trim()
            self._settled()
        self._send(b"", now, last=True)
        return []

    def _of_a_new_file(self) -> Iterator[Partials]:
        """Day by day the windows whose hours a new city file makes otherwise, all for the first; and store the file."""
        if "file" not in self._state or self._maker is None:
            return
        stored, city = self._store.city(self._id), self._city
        of = None if stored is None else self._made_otherwise(City.model_validate(stored.config))
        span = self._store.span(self._id, "window")
        if span and (of is None or len(of)):
            for start in range(span[0] // DAY * DAY, span[1] + 1, DAY):
                days = self._store.partials(self._id, "window", start, start + DAY, self._store.table, of)
                yield Partials.concat(list(days))
        self._store.put_city(CityRecord(city.id, city.model_dump(mode="json", exclude_defaults=True), self._width))

    def _made_otherwise(self, before: City) -> IntArray:
        """Series whose hours differ from those made with the city file `before`; see Engine.made_otherwise."""
        old, new = before.rollovers, self._city.rollovers
        mine = [s for s in sorted({*old, *new}) if district_of(s.device, self._home.among) == self._home.number]
        rolling = [s for s in mine if old.get(s) != new.get(s)]
        sources = self._maker.new_sources(before) if self._maker else []
        return np.array([self._store.table.id_of(s) for s in (*sources, *rolling)], dtype=np.int64)

    def _send_hours(self, hours: Partials, now: int) -> None:
        for first in range(0, len(hours), _ROWS):
            some = hours.take(slice(first, first + _ROWS))
            payload = encode(self._id, self._width, some, self._store.table)
            self._send(Record(f"{ROOT}/{self._id}/{MADE}", now, payload).encoded(), now)

    def _send(self, payload: bytes, now: int, last: bool = False) -> None:
        place, tick = int(self._state.get("parts", b"0")), int(self._state.get("ticks", b"0"))
        part = Part(tick, self._home.number, place, place + 1 if last else 0, payload)
        self._sent.append(part.record(self._id, now).encoded())
        self._state["parts"] = b"0" if last else str(place + 1).encode()
        if last:
            self._state["ticks"] = str(tick + 1).encode()
