"""LOCAL:AQ:EAQI: European air quality index, 1 (good) to 6 (extremely poor), of the worst pollutant and station.

Of the rolling 24 hours it is the index of the newest hour with a valid mean; of a calendar period that of its worst
hour. Particles count by the hour (revision of 2024). Bands: ETC HE Report 2024/17, Table 5.2.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.air.indices import BANDS, european_band
from kpi_derivation.rules.worst import worst
from registry.city import DeviceKind
from telemetry.gases import EU_CELSIUS
from telemetry.series import FloatArray

KPI = local_kpi(
    "LOCAL:AQ:EAQI", "European air quality index", "/", "Worst pollutant at the worst station", "Air Quality"
)
METHOD = "eaqi-2024/3"
REGION = "maximum"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    return worst(
        view,
        _highest,
        lambda quantity, value: float(european_band(quantity, value)),
        lambda band: f"{BANDS[int(band) - 1]}: ",
        "no valid hour in the period",
        EU_CELSIUS,
    )


def _highest(view: View, quantity: str, kinds: tuple[DeviceKind, ...]) -> FloatArray:
    """Per station the highest hour of the period; of the rolling 24 hours the newest of the last three."""
    if view.period.kind != "24h":
        return np.asarray(np.fmax.reduce(view.daily(quantity, kinds)["max1"], axis=1))
    hours = view.hourly(quantity, kinds)
    newest = hours[:, -1].copy()
    for before in (2, 3):
        newest = np.where(np.isnan(newest), hours[:, -before], newest)
    return newest
