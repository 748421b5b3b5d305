"""The newest reading of every series of a city from the stored hours, and the state of its devices made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from api.devices import LOOK_BACK, DeviceState, Newest, newest_of, states
from api.shared_store import SharedStore
from registry.city import City
from registry.unregistered import unregistered
from telemetry.periods import iso
from telemetry.quantities import QUANTITIES
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR

LONG_LOOK = 40 * DAY


class Sender(NamedTuple):
    """An unregistered device: its newest reading (UTC ms), the nearest registered id, the command to register it."""

    heard: int
    nearest: str
    command: str


class Heard(NamedTuple):
    """The registered devices, and those that send without being registered, by id."""

    devices: list[DeviceState]
    unregistered: dict[str, Sender]


def heard(city: City, store: SharedStore, now: int, only: Sequence[str] | None = None) -> Heard:
    """The devices at `now` (UTC ms), or only some of them. Those not heard for a day are looked for in the last 40."""
    table = SeriesTable()
    mine = [d for d in city.device if only is None or d.id in only]
    if only is not None:
        city = city.model_copy(update={"device": mine})
    wanted = None
    if only is not None:
        wanted = np.array([table.id_of(Series(city.id, d.id, q)) for d in mine for q in d.quantities], dtype=np.int64)
    newest = newest_of(store.newest_readings(city.id, now - LOOK_BACK, now + HOUR, table, wanted), table)
    quiet = [Series(city.id, d.id, q) for d in mine if d.id not in newest for q in d.quantities]
    if quiet:
        ids = np.array([table.id_of(series) for series in quiet], dtype=np.int64)
        older = store.newest_readings(city.id, now - LONG_LOOK, now - LOOK_BACK, table, ids)
        newest |= newest_of(older, table)
    return Heard(states(city, newest, now), _unregistered(city, newest))


RECORDS = (
    "ledger_sent", "ledger_received", "ledger_duplicate", "ledger_refused", "ledger_recovered", "ledger_missing",
    "ledger_lost", "rssi", "battery", "ring_fill", "ring_dropped", "heap_free", "uptime", "boots", "clock_offset",
)  # fmt: skip


def records_of(city: City, store: SharedStore, now: int, device: str) -> dict[str, dict[str, Any]]:
    """What the device reports of itself and the gateway counts of its records: newest value and time, by quantity."""
    table = SeriesTable([Series(city.id, device, quantity) for quantity in RECORDS if quantity in QUANTITIES])
    ids = np.arange(len(table), dtype=np.int64)
    found = newest_of(store.newest_readings(city.id, now - LONG_LOOK, now + HOUR, table, ids), table).get(device, {})
    return {q: {"at": iso(n.t), "value": n.value, "unit": QUANTITIES[q].unit} for q, n in found.items()}


def _unregistered(city: City, newest: dict[str, dict[str, Newest]]) -> dict[str, Sender]:
    series = [(device, quantity) for device, found in newest.items() for quantity in found]
    return {
        u.device: Sender(max(row.t for row in newest[u.device].values()), u.like, u.command())
        for u in unregistered(city, series)
        if not u.registered
    }
