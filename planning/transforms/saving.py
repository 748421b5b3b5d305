"""A saving measure: meters count a given share less in every interval."""

from __future__ import annotations

from typing import Annotated

import msgspec

from planning.situation import Situation
from registry.city import Device
from telemetry.errors import UsageError

_METERED = ("energy_delta", "energy_total", "power", "demand_15min", "heat_total", "water_total")


class Options(msgspec.Struct, frozen=True):
    """`percent` less; of the meters with this `role` (empty: all that consume), or of those named in `meters`."""

    percent: Annotated[float, msgspec.Meta(ge=0, le=100)]
    role: str = ""
    meters: list[str] = []
    kind: str = "electricity_meter"


def _meant(device: Device, options: Options) -> bool:
    if options.meters:
        return device.id in options.meters
    mine = device.role == options.role if options.role else device.role != "generation"
    return device.kind == options.kind and mine


def apply(now: Situation, options: Options) -> Situation:
    """Scale the meters. Raises UsageError where none is meant."""
    meant = [d for d in now.city.device if _meant(d, options)]
    if not meant:
        raise UsageError(f"The saving selects no meter of '{now.city.id}': check role, kind and meters.")
    factor = 1.0 - options.percent / 100.0
    scaled = now.scaled | {(d.id, q): factor * now.scaled.get((d.id, q), 1.0) for d in meant for q in _METERED}
    loads = now.loads | {d.id: now.loads[d.id] * factor for d in meant if d.id in now.loads}
    return now.but(f"{len(meant)} meters use {options.percent:g} % less", scaled=scaled, loads=loads)
