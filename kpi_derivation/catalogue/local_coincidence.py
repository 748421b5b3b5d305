"""LOCAL:E:COINCIDENCE: highest power of all meters together / sum of the highest power of each, 0 to 1.

It falls with the number of meters. With the averaging time it moves either way: usually up for homes, down for charging
below a few hours. So the interval (a quarter of an hour, or the longer one of the meters' readings) is part of the
method, and values of different intervals are not compared. Of the meters that have quarters in the period.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.days.demand import Peak
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.peaks import of_peak
from telemetry.series import FloatArray

KPI = local_kpi(
    "LOCAL:E:COINCIDENCE",
    "Coincidence factor",
    "/",
    "Peak of all meters over the sum of their own peaks",
    "Energy",
)
METHOD = "coincidence/3"
REGION = "none"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    return of_peak(view, _share, of_own=True)


def _share(peak: Peak, own: FloatArray) -> float:
    return peak.kw / float(own.sum())
