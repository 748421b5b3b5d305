"""LOCAL:AQ:EU2030_DAYS: days over the 24-hour limit values that hold from 2030 (18 a year are allowed).

PM2.5 25, PM10 45, NO2 50, SO2 50 µg/m³ (COM(2022) 542, Annex I; those of the adopted text are unconfirmed).
Gases of devices that measure by volume (`in_ppb`) are converted at 20 °C for this.
"""

from __future__ import annotations

from msgspec.structs import replace

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.air.exceedances import Limit, exceedances
from telemetry.gases import EU_CELSIUS

LIMITS = (
    Limit("pm2_5", "pm2_5", 25.0),
    Limit("pm10", "pm10", 45.0),
    Limit("no2", "no2", 50.0),
    Limit("so2", "so2", 50.0),
)
KPI = replace(
    local_kpi(
        "LOCAL:AQ:EU2030_DAYS",
        "Days over the EU limit values of 2030",
        "days",
        "Days over the EU limit values of 2030, at the station with the most",
        "Air Quality",
    ),
    parts=tuple(limit.part for limit in LIMITS),
)
METHOD = "eu-2030-days/2 (unconfirmed limits)"
REGION = "maximum"


def derive(view: View) -> list[Part]:
    """One part a limit."""
    return exceedances(view, LIMITS, EU_CELSIUS)
