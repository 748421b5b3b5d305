"""LOCAL:AQ:WHO_DAYS: days over the WHO guideline of 2021 for 24 hours, and for the highest 8-hour mean of ozone.

The guideline allows 3 to 4 such days a year (99th percentile; unconfirmed). Limits: WHO global air quality guidelines
2021, µg/m³.
Gases of devices that measure by volume (`in_ppb`) are converted at 25 °C for this.
"""

from __future__ import annotations

from msgspec.structs import replace

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.air.exceedances import Limit, exceedances
from telemetry.gases import WHO_CELSIUS

LIMITS = (
    Limit("pm2_5", "pm2_5", 15.0),
    Limit("pm10", "pm10", 45.0),
    Limit("no2", "no2", 25.0),
    Limit("so2", "so2", 40.0),
    Limit("o3", "o3", 100.0, "max8"),
)
KPI = replace(
    local_kpi(
        "LOCAL:AQ:WHO_DAYS",
        "Days over the WHO guideline",
        "days",
        "Days over the WHO guideline, at the station with the most",
        "Air Quality",
    ),
    parts=tuple(limit.part for limit in LIMITS),
)
METHOD = "who-2021-days/2"
REGION = "maximum"


def derive(view: View) -> list[Part]:
    """One part a limit."""
    return exceedances(view, LIMITS, WHO_CELSIUS)
