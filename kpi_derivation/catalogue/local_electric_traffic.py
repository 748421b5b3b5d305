"""LOCAL:T:ELECTRIC: battery-electric passenger vehicles / passenger vehicles of a known class that counters saw, %.

As LOCAL:T:LOW_CARBON: of the vehicles in use, those of visitors too, and beside EC:I:T:8A, never in its place.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.rules.traffic import classified_share

KPI = local_kpi(
    "LOCAL:T:ELECTRIC", "Electric vehicles in traffic", "%",
    "Share of battery-electric vehicles among the classified passenger vehicles that traffic counters saw", "Transport",
)  # fmt: skip
METHOD = "classified-counts/1"
REGION = "ratio"
derive = classified_share("vehicles_electric")
