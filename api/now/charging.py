"""Charging at this moment: what each charger's connector last said, and energy and sessions of 24 hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.devices import DeviceState
from api.now.air import Values, sure

USES = ("free", "plugged", "charging", "fault")  # connector_state 0 to 3


def use_of(device: DeviceState) -> str:
    """What a charger is doing: one of USES, or unknown where it is silent or does not report it."""
    reading = device.newest.get("connector_state")
    if reading is None or device.state != "ok":
        return "unknown"
    return USES[min(int(reading.value), 3)]


def charging(devices: Sequence[DeviceState], values: Values) -> dict[str, Any] | None:
    """The card of charging; None for a city without a charger."""
    chargers = [d for d in devices if d.kind == "ev_charger"]
    if not chargers:
        return None
    uses = [{"id": d.id, "site": d.site, "use": use_of(d)} for d in sorted(chargers, key=lambda d: d.id)]
    energy, sessions = (values.get((code, "", "24h")) for code in ("LOCAL:EV:ENERGY", "LOCAL:EV:SESSIONS"))
    return {
        "chargers": uses[:60],
        "counts": {use: sum(u["use"] == use for u in uses) for use in (*USES, "unknown")},
        "total": len(uses),
        "energy_kwh": energy.value if energy else None,
        "sessions": sessions.value if sessions else None,
        **(sure(energy) if energy else {}),
    }
