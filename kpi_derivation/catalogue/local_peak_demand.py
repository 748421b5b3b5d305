"""LOCAL:E:PEAK: highest mean power of all meters together over a quarter of an hour, kW.

The notes say when it was and how many meters made it. A meter whose readings are further apart than a quarter, or that
sends the energy of intervals over an hour, has no quarters and is not in it; intervals up to an hour count with their
mean power. Energy of a gap has no time and makes no peak.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.derived import TARGET
from kpi_derivation.energy import METERS, consumes
from kpi_derivation.ratios import joined
from kpi_derivation.view import Part, View
from telemetry.periods import iso

KPI = local_kpi("LOCAL:E:PEAK", "Peak demand", "kW", "Highest mean power of all meters over 15 minutes", "Energy")
METHOD = "peak-demand-15min/1"
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
    value = peak.kw
    notes = joined(f"at {iso(peak.at)}, {peak.meters} of {meters} meters", "coverage: meters with quarters")
    return [Part(value=value, coverage=coverage, n_devices=len(own), notes=notes)]
