"""LOCAL:E:COINCIDENCE: highest power of all meters together / sum of the highest power of each, over 15 minutes.

0 to 1; it falls with the number of meters and with the averaging time (here a quarter of an hour). Of the meters that
have quarters in the period.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.derived import TARGET
from kpi_derivation.energy import METERS, consumes
from kpi_derivation.ratios import joined
from kpi_derivation.view import Part, View
from telemetry.periods import iso

KPI = local_kpi(
    "LOCAL:E:COINCIDENCE",
    "Coincidence factor",
    "/",
    "Peak of all meters over the sum of their own peaks, at 15 minutes",
    "Energy",
)
METHOD = "coincidence-15min/1"
QUANTITIES = (TARGET, "energy_delta")
KINDS = METERS


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    meters = int(view.picked(view.devices(KINDS, TARGET), TARGET, consumes).sum())
    peak, own = (None, np.empty(0)) if view.period.kind == "24h" else view.demand()
    coverage = len(own) / meters if meters else 0.0
    if peak is None:
        why = "no meter reading that tells quarters of an hour" if meters else "no electricity meter is registered"
        why = "told for calendar periods" if view.period.kind == "24h" else why
        return [Part(value=None, coverage=coverage, n_devices=0, notes=why)]
    total = float(own.sum())
    value = peak.kw / total if total > 0 else 1.0
    notes = joined(f"at {iso(peak.at)}, {peak.meters} of {meters} meters", "coverage: meters with quarters")
    return [Part(value=value, coverage=coverage, n_devices=len(own), notes=notes)]
