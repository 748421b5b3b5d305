"""LOCAL:T:LOW_CARBON: low-carbon passenger vehicles / passenger vehicles of a known class that counters saw, %.

The publisher's EC:I:T:8A is of the vehicle register; classifying counters (plate or camera) see the vehicles in use,
those of visitors too, so this value stands beside it and never in its place.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.rules.traffic import classified_share

KPI = local_kpi(
    "LOCAL:T:LOW_CARBON", "Low-carbon vehicles in traffic", "%",
    "Share of low-carbon vehicles among the classified passenger vehicles that traffic counters saw", "Transport",
)  # fmt: skip
METHOD = "classified-counts/1"
REGION = "ratio"
derive = classified_share("vehicles_low_carbon")
