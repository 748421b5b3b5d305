"""LOCAL:E:PEAK: highest mean power of all meters together over a quarter of an hour, kW.

The notes state when it was and how many meters made it; they and the method state the averaging interval.
A meter whose readings are further apart than a quarter, or that sends the energy of intervals over an hour, has no
quarters and is not in it; intervals up to an hour count with their mean power. Energy of a gap has no time and makes no
peak.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.peaks import of_peak

KPI = local_kpi("LOCAL:E:PEAK", "Peak demand", "kW", "Highest mean power of all meters over 15 minutes", "Energy")
METHOD = "peak-demand/3"
REGION = "none"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    return of_peak(view, lambda peak, _: peak.kw)
