"""LOCAL:AQ:EU_DAYS: days, or hours, over the short-term limit values of 2008/50/EC (Annexes VII and XI).

PM10 50 (35 days a year are allowed), SO2 125 (3), ozone target 120 as highest 8-hour mean (25), and hours of NO2 over
200 (18) and of SO2 over 350 (24). µg/m³.
Gases of devices that measure by volume (`in_ppb`) are converted at 20 °C for this.
"""

from __future__ import annotations

from msgspec.structs import replace

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.air.exceedances import Limit, exceedances
from telemetry.gases import EU_CELSIUS

LIMITS = (
    Limit("pm10", "pm10", 50.0),
    Limit("so2", "so2", 125.0),
    Limit("o3", "o3", 120.0, "max8"),
    Limit("no2_hours", "no2", 200.0, "over"),
    Limit("so2_hours", "so2", 350.0, "over"),
)
KPI = replace(
    local_kpi(
        "LOCAL:AQ:EU_DAYS",
        "Days over the EU limit values",
        "days",
        "Days over the EU limit values, at the station with the most",
        "Air Quality",
    ),
    parts=tuple(limit.part for limit in LIMITS),
)
METHOD = "eu-2008-50-days/2"
REGION = "maximum"


def derive(view: View) -> list[Part]:
    """One part a limit."""
    return exceedances(view, LIMITS, EU_CELSIUS)
