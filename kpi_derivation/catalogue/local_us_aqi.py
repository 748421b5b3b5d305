"""LOCAL:AQ:USAQI: US air quality index, 0 to 500, of the worst pollutant and station.

Of the rolling 24 hours particles count by NowCast and gases by their highest hour (NO2, SO2) or 8-hour mean (ozone); of
a calendar day particles by the mean of 18 or more hours. Of a longer period it is that of its worst day. The index of
ozone by the hour and that of SO2 over 24 hours are not taken. Breakpoints of May 2024.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.days.blocks import LEAD
from kpi_derivation.engine.families.air import running_means
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.air.indices import US, aqi, is_current, nowcast
from kpi_derivation.rules.worst import worst
from registry.city import DeviceKind
from telemetry.gases import US_CELSIUS
from telemetry.series import FloatArray

KPI = local_kpi("LOCAL:AQ:USAQI", "US air quality index", "/", "Worst pollutant at the worst station", "Air Quality")
METHOD = "us-aqi-2024/3"
REGION = "maximum"
PARTICLES = ("pm2_5", "pm10")
_OF = {"pm2_5": "mean", "pm10": "mean", "o3": "max8", "no2": "max1", "so2": "max1"}


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    highest = _rolling if view.period.kind == "24h" else _days
    return worst(
        view,
        highest,
        lambda quantity, value: aqi(value, US[quantity]),
        lambda _index: "",
        "too few hours in the period",
        US_CELSIUS,
    )


def _days(view: View, quantity: str, kinds: tuple[DeviceKind, ...]) -> FloatArray:
    """Per station the highest of its days."""
    days = view.daily(quantity, kinds)
    values = days.mean(18) if _OF[quantity] == "mean" else days[_OF[quantity]]
    return np.asarray(np.fmax.reduce(values, axis=1))


def _rolling(view: View, quantity: str, kinds: tuple[DeviceKind, ...]) -> FloatArray:
    """Per station the value of the rolling 24 hours; none where fewer than two of the last three hours are there."""
    hours = view.hourly(quantity, kinds, LEAD)
    if quantity in PARTICLES:
        return np.array([nowcast(row.tolist()) for row in hours[:, ::-1]])
    values = running_means(hours) if quantity == "o3" else hours[:, LEAD:]
    return np.where(is_current(hours), np.fmax.reduce(values, axis=1), np.nan)
