"""The devices of a city and their states: one row a device, however long ago its last reading was.

A device is silent after three of its intervals without a reading, at least 15 minutes; one that only sends events
(charging sessions), after a week. Pure: times are arguments, in ms UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np

from adapters.points import Newest, Point
from registry.city import City, Device
from registry.silence import silent_after
from registry.unregistered import unregistered
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE

# The newest value of these is shown of every device that has it.
SHOWN = (
    "rssi", "ring_fill", "ring_dropped", "heap_free", "uptime", "boots", "clock_offset", "connector_state",
    "ledger_sent", "ledger_received", "ledger_duplicate", "ledger_refused", "ledger_recovered", "ledger_missing",
    "ledger_lost", "gw_dirty", "gw_lag", "gw_rejected", "gw_dropped",
    "gw_disk_free", "gw_cert_days",
)  # fmt: skip
# Troubles that need a person, the worst last: tables sort by the number.
TROUBLE = (
    "none", "weak radio", "flash ring filling", "records missing", "suspect", "connector fault", "silent",
    "silent for a day", "never heard",
)  # fmt: skip
Fields = dict[str, float | int | str | None]
_packed = msgspec.msgpack.Encoder().encode  # of numbers themselves two have one hash, as -1 and -2
WEAK_DBM, RING_PERCENT, FAULT = -85.0, 75.0, 3.0


@dataclass(slots=True)
class State:
    """The state of one device. `heard`: time of its newest reading; 0 for never. `steps`: ms between readings.

    `given`: hashes of what its last row had, of fields that hardly change and of the others.
    """

    heard: int = 0
    arrived: int = 0
    suspect: int = 0
    silent: bool = False
    trouble: int = 0
    since: int = 0
    state_since: int = 0
    newest: dict[str, float] = field(default_factory=dict)
    dated: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    sends: set[str] = field(default_factory=set)
    given: tuple[int, int] | None = None


class Fleet:
    """All devices of one city: the registered ones, gateways, and those that send without being registered."""

    def __init__(self, city: City, known: Iterable[Newest]) -> None:
        self.city = city
        self._registered = city.by_id
        self.states: dict[str, State] = {d.id: State() for d in city.device}
        self._arrived: set[str] = set()
        self._plain: list[State | None] = []  # by series: its device, if only the times of its readings are noted
        self._advice: dict[str, str] | None = None  # of `rows`, None where something new was sent since
        for row in sorted(known, key=lambda row: row.time):  # the newest row last
            self._note(row)
            if row.n and _counts(row.quantity):
                self.states[row.device].steps[row.quantity] = HOUR / row.n

    def _note(self, row: Newest) -> None:
        state = self.states.setdefault(row.device, State())
        if not row.quantity:
            if not math.isnan(row.value):
                state.state_since = int(row.value)
            return
        if row.quantity not in state.sends:
            state.sends.add(row.quantity)
            self._advice = None
        if row.quantity in SHOWN and row.time >= state.dated.get(row.quantity, 0) and not math.isnan(row.value):
            if row.quantity == "connector_state" and row.value != state.newest.get(row.quantity):
                known = state.state_since and row.quantity not in state.newest  # from before a restart
                state.state_since = state.state_since if known else row.time
            state.newest[row.quantity], state.dated[row.quantity] = row.value, row.time
        if _counts(row.quantity):
            if not QUANTITIES[row.quantity].event:
                _note_step(state, row.quantity, row.time, row.n)
            state.heard = max(state.heard, row.time)

    def take(self, windows: Partials, table: SeriesTable) -> None:
        """Note stored windows, the newest of each series, and of connectors those around the last change of state."""
        windows = windows.latest()
        with_values = windows.where(windows.n > 0)
        rows = with_values.take(_newest_and_turns(with_values, table))
        self._plain += [None] * (len(table) - len(self._plain))
        for series, t, value, n in zip(
            rows.series.tolist(), rows.last_t.tolist(), rows.last.tolist(), rows.n.tolist(), strict=True
        ):
            name, state = table[series], self._plain[series]
            self._arrived.add(name.device)
            if state is not None:
                _note_step(state, name.quantity, t, n)
                state.heard = max(state.heard, t)
                continue
            self._note(Newest(name.device, name.quantity, t, value, n))
            if name.quantity not in SHOWN and _counts(name.quantity) and not QUANTITIES[name.quantity].event:
                self._plain[series] = self.states[name.device]

    def judge(self, now: int) -> tuple[list[str], list[str]]:
        """Judge every device at `now`; returns the registered devices that fell silent and those that are back."""
        fell: list[str] = []
        back: list[str] = []
        for device in self._arrived:
            self.states[device].arrived = now
        self._arrived.clear()
        for device, state in self.states.items():
            silent = now - state.heard > self.silent_after(device)
            if silent != state.silent and device in self._registered and state.heard:
                (fell if silent else back).append(device)
            state.silent = silent
            state.trouble, state.since = self._trouble(device, state, now)
        return fell, back

    def silent_after(self, device: str) -> int:
        """Ms without a reading from which a device is silent."""
        learnt = min(self.states[device].steps.values(), default=0.0)
        return silent_after(self._registered.get(device), learnt)

    def _trouble(self, device: str, state: State, now: int) -> tuple[int, int]:
        """The worst trouble of a device, as an index of TROUBLE, and the time of its last good state."""
        if device not in self._registered and not _is_gateway(state):
            return 0, 0
        values = state.newest
        long = now - state.heard > max(DAY, self.silent_after(device))
        wrong = {
            "never heard": not state.heard,
            "silent for a day": state.silent and long,
            "silent": state.silent,
            "connector fault": values.get("connector_state", 0.0) >= FAULT,
            "suspect": state.suspect > 0,
            "records missing": values.get("ledger_missing", 0.0) > 0,
            "flash ring filling": values.get("ring_fill", 0.0) > RING_PERCENT,
            "weak radio": values.get("rssi", 0.0) < WEAK_DBM,
        }
        word = next((word for word, is_so in wrong.items() if is_so), "none")
        since = state.state_since if word == "connector fault" else state.heard
        return TROUBLE.index(word), since

    def rows(self, whole: bool = True) -> Iterator[Point]:
        """One row a device, as it was judged last. `advice`: what it sends that is in no KPI, and what to do.

        Not `whole`: only rows that differ from those given last, and what hardly changes only where it has changed.
        """
        if self._advice is None:
            seen = ((device, quantity) for device, state in self.states.items() for quantity in state.sends)
            self._advice = {found.device: found.sentence() for found in unregistered(self.city, seen)}
        for device, state in self.states.items():
            lasting, moving = self._lasting(device, state), _moving(state)
            before, state.given = state.given, (hash(_packed(lasting)), hash(_packed(moving)))
            if whole or before is None or before[0] != state.given[0]:
                yield Point("device", {"city": self.city.id, "device": device}, lasting | moving, 0)
            elif before[1] != state.given[1]:
                yield Point("device", {"city": self.city.id, "device": device}, moving, 0)

    def _lasting(self, device: str, state: State) -> Fields:
        """The fields of a row that hardly change."""
        advice = (self._advice or {}).get(device, "")
        return _registered(self._registered.get(device), _is_gateway(state)) | {
            "silent_after": self.silent_after(device),
            "silent": int(state.silent),
            "trouble": state.trouble,
            "suspect": state.suspect,
            "in_no_kpi": int(bool(advice)),
            "advice": advice,
        }

    def summary(self, now: int) -> Point:
        """The city's devices in numbers, under the minute of `now`; counts are of registered devices."""
        mine = [self.states[device] for device in self._registered]
        counts: dict[str, float | int | str | None] = {"devices": len(mine)}
        for number, word in enumerate(TROUBLE[1:], start=1):
            counts[word.replace(" ", "_")] = sum(state.trouble == number for state in mine)
        silent = (TROUBLE.index("silent"), TROUBLE.index("silent for a day"))
        counts["not_heard"] = sum(state.trouble >= silent[0] for state in mine)
        counts["in_trouble"] = sum(state.trouble > 0 for state in mine)
        states = [s.newest["connector_state"] for s in mine if "connector_state" in s.newest and not s.silent]
        for number, word in enumerate(("free", "connected", "charging", "fault")):
            counts[word] = sum(value == number for value in states)
        counts["missing"] = int(sum(s.newest.get("ledger_missing", 0.0) for s in mine))
        counts["newest"] = newest = max((s.heard for s in mine), default=0) or None
        counts["age"] = (now - newest) / 1000 if newest else None
        return Point("state", {"city": self.city.id}, counts, now // MINUTE * MINUTE)


def _moving(state: State) -> Fields:
    """The fields of a row that change with the readings."""
    return {
        "heard": state.heard or None,
        "arrived": state.arrived or None,
        "since": state.since or None,
        "state_since": state.state_since or None,
        **{name: float(value) for name, value in state.newest.items()},
    }


def _note_step(state: State, quantity: str, time: int, n: int) -> None:
    """The time between two readings of a quantity, of which a window has `n`; a gap may at most double it."""
    before = state.times.get(quantity, 0)
    if before and 0 < time - before < 2 * DAY:
        step = (time - before) / n if n else float(time - before)
        usual = state.steps.get(quantity, step)
        state.steps[quantity] = step if step < 2 * usual else 2 * usual
    state.times[quantity] = time if time > before else before


def _newest_and_turns(rows: Partials, table: SeriesTable) -> IntArray:
    """Places of the last row of every series, and of a connector's two rows between which its state changed last."""
    last = np.flatnonzero(np.diff(rows.series, append=-1))
    before = np.flatnonzero((np.diff(rows.series) == 0) & (np.diff(rows.last) != 0))
    turns = {
        int(rows.series[i]): i for i in before.tolist() if table[int(rows.series[i])].quantity == "connector_state"
    }
    return np.unique(np.concatenate([last, *(np.array([i, i + 1]) for i in turns.values())]))


def _registered(device: Device | None, gateway: bool) -> Fields:
    """The fields from the registry."""
    if device is None:
        return {"registered": 0, "kind": "gateway" if gateway else "unregistered", "site": "-"}
    return {
        "registered": 1, "kind": device.kind, "site": device.site or "-",
        "lat": device.lat, "lon": device.lon, "interval_s": device.interval_s,
    }  # fmt: skip


def _is_gateway(state: State) -> bool:
    return "gw_lag" in state.newest


def _counts(quantity: str) -> bool:
    """Whether a reading of this quantity shows that the device was heard: the gateway's own counts do not."""
    return not quantity.startswith("ledger_")
