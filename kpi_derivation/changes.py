"""What a changed city file changes: which KPIs rest on it, in sentences. Pure.

The values themselves are derived again from the stored hours; only those that come out otherwise are stored, so only
what depends on the change gets a new revision. This says beforehand which KPIs can.
"""

from __future__ import annotations

from typing import Any

from kpi_derivation.catalogue import DERIVATIONS
from telemetry.city import City

# Keys of [city] and [rules] -> the KPIs that read them; the hour's capture and anything not listed concerns all.
_AIR = ("EN:EN:AQ:1C",)
_DAYS = ("LOCAL:AQ:WHO_DAYS", "LOCAL:AQ:EU_DAYS", "LOCAL:AQ:EU2030_DAYS")
_OUTAGES = ("EC:I:ES:1C", "EC:I:ES:2C", "LOCAL:ES:SAIDI")
READ_BY: dict[str, tuple[str, ...]] = {
    "population": (
        "EN:E:E:2C", "EN:E:E:3C", "EN:EN:AQ:2C", "EN:EN:WS:2C", "EN:EN:EQ:2A", "LOCAL:EV:PER_CAPITA",
    ),
    "households": ("EC:I:ES:3C",),
    "households_with_electricity": ("EC:I:ES:3C",),
    "area_km2": (),
    "emission_factor_kg_per_kwh": ("EN:EN:AQ:2C",),
    "emission_factors": ("EN:EN:AQ:2C",),
    "renewable_grid_share": ("EN:E:E:1C",),
    "electricity_meters": ("EC:ICT:ES:1C", "EN:E:E:2C"),
    "electricity_customers": ("EC:ICT:ES:3A", "EN:E:E:2C", *_OUTAGES),
    "demand_response_customers": ("EC:ICT:ES:3A",),
    "water_meters": ("EC:ICT:WS:1C", "EN:EN:WS:2C", "EC:I:WS:3C"),
    "public_building_area_m2": ("EN:E:E:4A",),
    "passenger_vehicles": ("EC:I:T:8A",),
    "low_carbon_vehicles": ("EC:I:T:8A",),
    "electricity_network_km": ("EC:ICT:ES:2A",),
    "electricity_monitored_km": ("EC:ICT:ES:2A",),
    "water_network_km": ("EC:ICT:WS:2A",),
    "water_monitored_km": ("EC:ICT:WS:2A",),
    "mixed_air_kinds": (*_AIR, *_DAYS, "LOCAL:AQ:EAQI", "LOCAL:AQ:USAQI"),
    "population_weighted_air": _AIR,
    "exclude_suspect": _AIR,
    "sustained_interruption_min": _OUTAGES,
    "charging_behind_meters": ("EN:EN:AQ:2C",),
    "estimate_unmetered": ("EN:E:E:2C",),
    "noise_limit_lden": ("EN:EN:EQ:2A",),
    "revision_hold_h": (),
    "name": (),
    "country": (),
    "extra": (),
}  # fmt: skip


def affected(old: City, new: City) -> dict[str, str]:
    """KPI code -> what changed that it rests on."""
    found: dict[str, list[str]] = {}
    for sentence, codes in _changes(old, new):
        for code in codes:
            found.setdefault(code, []).append(sentence)
    return {code: "; ".join(why) for code, why in sorted(found.items())}


def _changes(old: City, new: City) -> list[tuple[str, tuple[str, ...]]]:
    """Each change as a sentence, with the KPIs that read it."""
    everything = tuple(DERIVATIONS)
    out = []
    for section in ("city", "rules"):
        before, after = getattr(old, section), getattr(new, section)
        for key in type(after).model_fields:
            a, b = getattr(before, key), getattr(after, key)
            if a != b:
                out.append((f"{key} {_told(a)} -> {_told(b)}", READ_BY.get(key, everything)))
    return out + _device_changes(old, new)


def _device_changes(old: City, new: City) -> list[tuple[str, tuple[str, ...]]]:
    """Devices that came, went or differ concern the KPIs of their kinds and quantities."""
    before, after = {d.id: d for d in old.device}, {d.id: d for d in new.device}
    out = []
    for name in sorted(before.keys() | after.keys()):
        a, b = before.get(name), after.get(name)
        if a == b:
            continue
        kinds = {d.kind for d in (a, b) if d is not None}
        codes = tuple(code for code, d in DERIVATIONS.items() if kinds & set(d.kinds))
        out.append((f"device {name} {_how(a, b)}", codes))
    return out


def _how(a: Any, b: Any) -> str:  # noqa: ANN401 - a Device or None
    if a is None or b is None:
        return "added" if a is None else "removed"
    keys = [key for key in type(a).model_fields if getattr(a, key) != getattr(b, key)]
    return f"changed: {', '.join(keys)}"


def _told(value: Any) -> str:  # noqa: ANN401 - any value of a city file
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
