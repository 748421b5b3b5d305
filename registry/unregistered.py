"""Series that no city file lists: they are stored, enter no KPI, and are reported with the command that helps. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from registry.city import City, Device, DeviceKind
from telemetry.quantities import DERIVED_FROM, INTERRUPTION_CLASSES, QUANTITIES

COMPARED = 20  # devices of which a similar id is searched: 14 ms each in a city of 1,000 devices
_OWN = ("gw_", "ledger_")  # what gateways report of themselves
# What nodes report of themselves, and what comes with a session: no registry entry lists them.
_BESIDE = frozenset(
    {"heap_free", "uptime", "boots", "reset_cause", "rssi", "ring_fill", "ring_dropped", "clock_offset"}
)
_WITH_SESSIONS = "connected_time"
# The kind of a device by what it sends, where no registered one is like it: the first that matches.
_KIND_OF: tuple[tuple[DeviceKind, frozenset[str]], ...] = (
    ("air_lowcost", frozenset({"pm1", "pm2_5", "pm10", "no2", "o3", "so2", "co", "nox", "c6h6", "co2"})),
    ("ev_charger", frozenset({"session_energy", "connector_state", "connected_time"})),
    ("electricity_meter", frozenset({"energy_total", "energy_delta", "energy_export_total", "power"})),
    ("heat_meter", frozenset({"heat_total"})),
    ("water_meter", frozenset({"water_total"})),
    ("noise", frozenset({"laeq"})),
    ("outage_log", frozenset(f"{w}_{c}" for w in ("interrupted", "interruption") for c in INTERRUPTION_CLASSES)),
)


class Unregistered(NamedTuple):
    """A device that sends what the city file does not list. `registered`: the file has the device, not the quantities.

    `like`: the registered id that is nearest, empty where none is near; `same`: that device measures the same.
    """

    city: str
    device: str
    quantities: tuple[str, ...]
    registered: bool
    like: str = ""
    same: bool = False

    def why(self, since: str = "", readings: int | None = None) -> str:
        """What arrives and what is wrong with it. `since`: when the first came; `readings`: how many."""
        sends = ", ".join(self.quantities)
        count = f", {readings:,} reading{'s' if readings != 1 else ''}" if readings else ""
        when = (f" since {since}" if since else "") + count
        if self.registered:
            return f"{self.device} sends {sends}{when}, which its entry in {self.city} does not list: in no KPI"
        nearest = f"; nearest registered id {self.like}" if self.like else ""
        return f"{self.device} (unregistered in {self.city}) sends {sends}{when}: in no KPI{nearest}"

    def command(self, city_file: str = "CITY.toml") -> str:
        """The command that registers it in this city file."""
        words = f"cityvitals device add {city_file} {self.device}"
        quantities = "".join(f" --quantity {q}" for q in self.quantities)
        if self.registered:
            return words + quantities
        if self.like and self.same:
            return f"{words} --like {self.like}"
        return f"{words} --kind {_kind(self.quantities)}{quantities}"

    def sentence(self, city_file: str = "CITY.toml", since: str = "", readings: int | None = None) -> str:
        """Both, for people."""
        rename = f" (or let it send as {self.like})" if self.like and not self.registered else ""
        return f"{self.why(since, readings)}. To register it: {self.command(city_file)}{rename}"


def unregistered(city: City, series: Iterable[tuple[str, str]], compared: int = COMPARED) -> list[Unregistered]:
    """Of these (device, quantity), those in no KPI, by device: sorted by id.

    `compared`: of how many devices a similar registered id is searched; a sender can invent any number of ids.
    """
    known = city.by_id
    missing: dict[str, list[str]] = {}
    for device, quantity in series:
        if _is_measured(quantity) and not _listed(known.get(device), quantity):
            missing.setdefault(device, []).append(quantity)
    ids = tuple(known)
    found = []
    for device, quantities in sorted(missing.items()):
        like = ""
        if device not in known and compared > 0:
            like, compared = nearest_id(device, ids), compared - 1
        found.append(_one(city.id, device, tuple(sorted(set(quantities))), known, like))
    return found


@lru_cache(maxsize=1000)
def nearest_id(name: str, known: tuple[str, ...]) -> str:
    """The nearest of the known ids; empty where none is near. Case, separators and leading zeros weigh least."""
    plain = _plain(name)
    same = next((other for other in known if _plain(other) == plain), "")
    return same or next(iter(get_close_matches(name, known, 1, cutoff=0.6)), "")


def _plain(name: str) -> str:
    return re.sub(r"[-_.:]|0+(?=\d)", "", name.lower())


def _is_measured(quantity: str) -> bool:
    return quantity in QUANTITIES and not (quantity.startswith(_OWN) or quantity in _BESIDE or quantity in DERIVED_FROM)


def _listed(entry: Device | None, quantity: str) -> bool:
    if entry is None:
        return False
    return quantity in entry.quantities or (quantity == _WITH_SESSIONS and "session_energy" in entry.quantities)


def _one(city: str, device: str, quantities: tuple[str, ...], known: Mapping[str, Device], like: str) -> Unregistered:
    if device in known:
        return Unregistered(city, device, quantities, registered=True)
    same = bool(like) and all(_listed(known[like], q) for q in quantities)
    return Unregistered(city, device, quantities, registered=False, like=like, same=same)


def _kind(quantities: Sequence[str]) -> DeviceKind:
    return next((kind for kind, own in _KIND_OF if own.intersection(quantities)), "weather")
