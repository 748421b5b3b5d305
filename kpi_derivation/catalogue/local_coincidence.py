"""LOCAL:E:COINCIDENCE: highest power of all meters together / sum of the highest power of each, over 15 minutes.

0 to 1; it falls with the number of meters and with the averaging time (here a quarter of an hour). Of the meters that
have quarters in the period.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.days.demand import Peak
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.peaks import of_peak
from telemetry.series import FloatArray

KPI = local_kpi(
    "LOCAL:E:COINCIDENCE",
    "Coincidence factor",
    "/",
    "Peak of all meters over the sum of their own peaks, at 15 minutes",
    "Energy",
)
METHOD = "coincidence-15min/1"
REGION = "none"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    return of_peak(view, _share)


def _share(peak: Peak, own: FloatArray) -> float:
    total = float(own.sum())
    return peak.kw / total if total > 0 else 1.0
