"""Which values grow while their period goes on, so that a part of the time or of the devices gives less. Pure."""

from __future__ import annotations

from telemetry.kpi_value import KpiValue
from telemetry.periods import CALENDAR

# Shares, means, levels and rates; every other unit is of a sum.
_STEADY_UNITS = frozenset({"%", "ug/m3", "kW", "dB", "/", "index", "ratio", "litres/day/capita"})
_MEANS = frozenset({"EC:I:ES:2C"})  # minutes of one interruption


def grows(code: str, unit: str) -> bool:
    """Whether a value of this KPI and unit is a sum over its period."""
    return unit not in _STEADY_UNITS and code not in _MEANS


def is_so_far(value: KpiValue) -> bool:
    """Whether it is a sum of a calendar period that is not final: it may still grow."""
    return value.status == "provisional" and value.kind in CALENDAR and grows(value.code, value.unit)
