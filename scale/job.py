"""The job of one city: records of the log into KPI values. The ingest of the embedded engine, on a state that an engine
keeps.

    record --> what waits --tick--> state (windows, hours, values) and values that changed

It is a function of the state and the record alone: no clock, no file, no network. An engine that restores the state of
a checkpoint and replays the log from there gets the same values again, which are upserts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from ingest.core import CityIngest, serve
from ingest.senders import Senders, gateway_of
from registry.city import City
from scale.moving import FORGET, HOURS, OWNERS, VALUES, WINDOWS
from scale.records import Record, decoded
from scale.state import State, StateStore
from telemetry.errors import Rejected
from telemetry.kpi_value import StoredKpi
from telemetry.windows import DAY, EARLIEST
from telemetry.wire import check_ranges, decode, number

log = logging.getLogger(__name__)


_FILE = "file"  # in the state: the city file that no tick has followed
_MOVED = (HOURS, WINDOWS, VALUES, OWNERS)
_values = msgspec.json.Decoder(list[StoredKpi])
_owners = msgspec.json.Decoder(dict[str, str])


class RejectedRecord(NamedTuple):
    """A record that cannot be used, and why."""

    record: bytes
    reason: str


class Output(NamedTuple):
    """What a record gives: values that are new or differ, and records that cannot be used.

    `onward`: records that a district has for the job of its city (`districts.py`).
    """

    values: list[StoredKpi]
    rejected: list[RejectedRecord]
    onward: Sequence[bytes] = ()


class StateOwners:
    """Which gateway sends a device, and the largest number of each gateway, in the state of the city.

    Every window of every message asks for an owner, so they are in memory too: an engine's own cache of state holds
    fewer entries than a large city has devices, and each miss is a call to another process.
    """

    def __init__(self, state: State, city: str) -> None:
        self._state, self._city = state, city
        self._of: dict[str, str] = {}  # device -> gateway
        for key in state:
            if key.startswith("owner/"):
                self._of[key.removeprefix("owner/")] = state[key].decode()

    def of(self, city: str, device: str) -> str | None:  # noqa: ARG002 - the city of this state
        """See Ownership."""
        return self._of.get(device)

    def held(self, gateway: str, is_listed: Callable[[str, str], bool]) -> int:
        """See Ownership."""
        return sum(owner == gateway and not is_listed(self._city, device) for device, owner in self._of.items())

    def add(self, devices: Iterable[tuple[str, str]], gateway: str) -> None:
        """See Ownership."""
        for _, device in devices:
            if device not in self._of:
                self._state[f"owner/{device}"] = gateway.encode()
                self._of[device] = gateway

    def is_overtaken(self, gateway: str, sent: int) -> bool:
        """Whether a message with a larger number of the gateway came before; a larger one is noted. 0: no number."""
        newest = int(self._state.get(f"newest/{gateway}", b"0"))
        if sent > newest:
            self._state[f"newest/{gateway}"] = str(sent).encode()
        return 0 < sent < newest


class CityJob:
    """One city. What it holds beside `state` is made from it, so it may be dropped and built again at any record."""

    def __init__(self, city: str, state: State, width: int = 60_000) -> None:
        self._id, self._state, self._width = city, state, width
        self._rejected: list[RejectedRecord] = []
        self._begin()

    def _begin(self) -> None:
        """Make what is held beside the state from it."""
        self._store = StateStore(self._state, self._id)
        self._owners = StateOwners(self._state, self._id)
        self._ingest: CityIngest | None = None
        self._senders = Senders(self._owners, {})
        if (stored := self._store.city(self._id)) is not None:
            self._serve(City.model_validate(stored.config), stored.width)
        if (changed := self._state.get(_FILE)) is not None:
            self._serve(self._read(changed), self._stored_width)

    def take(self, value: bytes) -> Output:
        """What one record of the log gives."""
        self._rejected, values = [], []
        try:
            record = decoded(value)
            if record.city != self._id:
                raise Rejected(f"a record of {record.city} in the log of {self._id}")
            values = self._values(record)
        except Rejected as reason:
            self._rejected.append(RejectedRecord(value, str(reason)))
        return Output(values, self._rejected)

    def _values(self, record: Record) -> list[StoredKpi]:
        if record.kind == "windows":
            self._windows(record)
        elif record.kind == "file":
            self._file(record.payload)
        elif record.kind == "tick":
            return self._derive(record.time)
        elif record.kind == FORGET:
            self._forget()
        elif record.kind in _MOVED:
            self._moved(record)
        else:
            raise Rejected(f"a record of kind '{record.kind}'")
        return []

    @property
    def series(self) -> int:
        """How many series it knows: what its memory grows with."""
        return len(self._store.table)

    @property
    def _has_file(self) -> bool:
        """Whether the city's file has come."""
        return self._ingest is not None

    def _forget(self) -> None:
        """Drop everything: what follows is the city as its own ingest has left it."""
        for key in list(self._state):
            del self._state[key]
        self._begin()

    def _moved(self, record: Record) -> None:
        """A part of what the city's own ingest has left. Raises Rejected once the city's file is there."""
        if self._has_file:
            raise Rejected(f"{self._id} is on the engine already; its windows come from gateways")
        try:
            if record.kind == VALUES:
                self._store.put_kpis(_values.decode(record.payload))
            elif record.kind == OWNERS:
                for device, gateway in _owners.decode(record.payload).items():
                    self._owners.add([(self._id, device)], gateway)
            else:
                _, _, partials = decode(record.payload, self._store.table)
                self._store.put_partials("hour" if record.kind == HOURS else "window", partials, self._store.table)
        except msgspec.DecodeError as error:
            raise Rejected(f"not what an ingest has left: {error}") from error
        self._store.underived = True

    def _file(self, payload: bytes) -> None:
        """A city file: its values are recalculated by the next tick, until which it waits in the state."""
        city = self._read(payload)
        self._state[_FILE] = payload
        self._store.underived = True
        self._serve(city, self._stored_width)

    def _read(self, payload: bytes) -> City:
        """The city file. Raises Rejected."""
        try:
            city = City.model_validate(msgspec.json.decode(payload))
        except ValueError as error:
            raise Rejected(f"not a city file: {error}") from error
        if city.id != self._id:
            raise Rejected(f"the file of {city.id} in the log of {self._id}")
        return city

    @property
    def _stored_width(self) -> int:
        stored = self._store.city(self._id)
        return stored.width if stored else self._width

    def _serve(self, city: City, width: int) -> None:
        self._ingest = serve(self._store, self._store.table, city, width)
        self._senders = Senders(self._owners, {city.id: city})
        if self._store.underived:
            self._ingest.touch_everything()

    def _windows(self, record: Record) -> None:
        """Keep windows for the next tick. Raises Rejected, after what can be used of it is kept."""
        city, width, partials = decode(record.payload, self._store.table)
        gateway = gateway_of(record.topic, city)
        check_ranges(partials, self._store.table, self._senders.ranges)
        self._check_width(width)
        if self._owners.is_overtaken(gateway, number(record.payload)):
            return
        own, foreign = self._senders.checked(city, gateway, partials, self._store.table)
        plausible = own.take((own.start >= EARLIEST) & (own.start <= record.time + DAY))
        if len(plausible):
            self._store.wait(plausible)
        if len(plausible) < len(own):
            raise Rejected("windows before 2004 or in the future: the gateway's clock is wrong")
        if foreign:
            raise Rejected(foreign)

    def _check_width(self, width: int) -> None:
        expected = self._stored_width
        if width != expected:
            raise Rejected(f"windows of {width // 1000} s; {self._id} has windows of {expected // 1000} s")

    def _derive(self, now: int) -> list[StoredKpi]:
        """A tick: what has waited into the state, and values; without the city's file only windows, of which the file's
        arrival makes hours.
        """
        windows = self._store.waited()
        if self._ingest is None:
            self._store.put_partials("window", windows, self._store.table)
            return []
        if len(windows):
            self._ingest.take(windows)
        changed = self._ingest.derive(now)
        self._settled()
        return changed

    def _settled(self) -> None:
        """Everything that came before the tick is in the values."""
        self._store.underived = False
        self._state.pop(_FILE, None)
