"""LOCAL:AQ:EAQI: European air quality index, 1 (good) to 6 (extremely poor), of the worst pollutant and station.

Of the rolling 24 hours it is the index of the newest hour with a valid mean; of a calendar period that of its worst
hour. Particles count by the hour (revision of 2024). Bands: ETC HE Report 2024/17, Table 5.2.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.indices import BANDS, european_band
from kpi_derivation.ratios import joined
from kpi_derivation.stations import KINDS, QUANTITIES, kinds_of
from kpi_derivation.view import Part, View
from telemetry.city import DeviceKind
from telemetry.series import FloatArray

__all__ = ["KINDS", "QUANTITIES", "derive"]

KPI = local_kpi(
    "LOCAL:AQ:EAQI", "European air quality index", "/", "Worst pollutant at the worst station", "Air Quality"
)
METHOD = "eaqi-2024/1"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    found, labels, n, coverage = [], [], 0, []
    for quantity in QUANTITIES:
        kinds, label = kinds_of(view, quantity)
        highest = _highest(view, quantity, kinds)
        if len(highest):
            coverage.append(float(np.mean(~np.isnan(highest))))
            n = max(n, int((~np.isnan(highest)).sum()))
        if not np.isnan(highest).all():
            found.append((european_band(quantity, float(np.nanmax(highest))), quantity))
            labels.append(label)
    share = sum(coverage) / len(coverage) if coverage else 0.0
    if not found:
        why = "no valid hour in the period" if coverage else "no station of the city measures a pollutant of the index"
        return [Part(value=None, coverage=share, n_devices=0, notes=why)]
    band = max(b for b, _ in found)
    worst = ", ".join(q for b, q in found if b == band)
    notes = joined(f"{BANDS[band - 1]}: {worst}; of {len(found)} pollutants", *dict.fromkeys(labels))
    return [Part(value=float(band), coverage=share, n_devices=n, notes=notes)]


def _highest(view: View, quantity: str, kinds: tuple[DeviceKind, ...]) -> FloatArray:
    """Per station the highest hour of the period, or the newest of the rolling 24 hours."""
    if view.period.kind != "24h":
        return np.asarray(np.fmax.reduce(view.daily(quantity, kinds)["max1"], axis=1))
    hours = view.hourly(quantity, kinds)
    there = np.flatnonzero(~np.isnan(hours).all(axis=0))
    return np.asarray(hours[:, there[-1]] if len(there) else hours[:, -1])
