"""The floor of power that a grid operator leaves when it dims controllable devices in Germany. Pure.

BNetzA BK6-22-300, clause 4.5. The factors are a presumption until another recommendation holds: a dated table. Only
devices above 4.2 kW count. Whether the scaled sum takes all heat pumps or only those above 11 kW is not settled:
`all_heat_pumps` decides, by default only those above 11 kW.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

FLOOR_KW = 4.2
SCALED_ABOVE_KW = 11.0
SCALE = 0.4

# From which day on which factors hold: by number of devices, the last for all larger numbers.
FACTORS: tuple[tuple[date, tuple[float, ...]], ...] = (
    (date(2024, 1, 1), (1.0, 1.0, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50, 0.45)),
)


class Controllable(NamedTuple):
    """A controllable device: heat pumps and cooling above 11 kW are scaled, everything else has the plain floor."""

    kw: float
    kind: Literal["wallbox", "storage", "heat_pump", "cooling"] = "wallbox"

    @property
    def thermal(self) -> bool:
        """Whether it heats or cools."""
        return self.kind in ("heat_pump", "cooling")


def factor(n: int, day: date) -> float:
    """The simultaneity factor of n devices in force on a day; the first table for days before it."""
    table = next((f for since, f in reversed(FACTORS) if since <= day), FACTORS[0][1])
    return table[min(n, len(table) - 1)]


def single_floor(device: Controllable) -> float | None:
    """kW left to a device that is dimmed by itself; None for one that is too small to be dimmed."""
    if device.kw <= FLOOR_KW:
        return None
    return SCALE * device.kw if device.thermal and device.kw > SCALED_ABOVE_KW else FLOOR_KW


def shared_floor(devices: Sequence[Controllable], day: date, all_heat_pumps: bool = False) -> float | None:
    """kW left to all devices behind one energy manager; None where none is large enough to be dimmed."""
    counted = [d for d in devices if d.kw > FLOOR_KW]
    if not counted:
        return None
    least = FLOOR_KW if all_heat_pumps else SCALED_ABOVE_KW
    scaled = [
        SCALE * sum(d.kw for d in counted if d.kind == kind and d.kw > least) for kind in ("heat_pump", "cooling")
    ]
    large = any(d.thermal and d.kw > SCALED_ABOVE_KW for d in counted)
    first = max(scaled) if large else FLOOR_KW
    return first + (len(counted) - 1) * factor(len(counted), day) * FLOOR_KW
