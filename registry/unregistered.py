"""Series of devices that the city file does not list: they are stored, enter no KPI, and are reported. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from registry.city import City
from telemetry.quantities import DERIVED_FROM, QUANTITIES

_OWN = ("gw_", "ledger_")  # what gateways say of themselves
# What nodes say of themselves, and what comes with a session: no registry entry lists them.
_BESIDE = frozenset(
    {"heap_free", "uptime", "boots", "reset_cause", "rssi", "ring_fill", "ring_dropped", "clock_offset"}
)
_WITH_SESSIONS = "connected_time"


def unregistered(city: City, series: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Of these (device, quantity), those in no KPI, each with the sentence that says why and what to do."""
    known = {d.id: d for d in city.device}
    found: dict[tuple[str, str], str] = {}
    for device, quantity in series:
        if quantity.startswith(_OWN) or quantity in _BESIDE or quantity in DERIVED_FROM or quantity not in QUANTITIES:
            continue
        entry = known.get(device)
        if entry is None:
            found[device, quantity] = (
                f"{device} sends {quantity} and is not in the city file of {city.id}, so it is in no KPI;"
                f" {_nearest(device, list(known))}add a [[device]] entry with its id, kind and quantities"
            )
        elif quantity not in entry.quantities and not (
            quantity == _WITH_SESSIONS and "session_energy" in entry.quantities
        ):
            found[device, quantity] = (
                f"{device} sends {quantity}, which its [[device]] entry in {city.id} does not list, so it is in no KPI;"
                f" add '{quantity}' to its quantities"
            )
    return found


def _nearest(device: str, known: Sequence[str]) -> str:
    close = get_close_matches(device, known, 1, cutoff=0.6)
    return f"nearest registered id {close[0]}; use that, or " if close else ""
