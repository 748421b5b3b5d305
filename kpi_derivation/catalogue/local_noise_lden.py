"""LOCAL:N:LDEN: day-evening-night level, dB, mean of the sites that count; its night level as second part.

Each site's level is the energy mean over its valid hours of the period (2002/49/EC Annex I); the city's figure is the
plain mean of the sites' levels.
"""

from __future__ import annotations

from msgspec.structs import replace

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.noise import site_levels
from kpi_derivation.rules.ratios import ONLY_CALENDAR
from kpi_derivation.rules.reasons import Why, no_device

KPI = replace(
    local_kpi("LOCAL:N:LDEN", "Noise level", "dB", "Mean of the sites' Lden and Lnight", "Environmental Quality"),
    parts=("lden", "lnight"),
)
METHOD = "noise-lden/1"
REGION = "none"


def derive(view: View) -> list[Part]:
    """Two parts."""
    sites = site_levels(view)
    coverage, n = sites.coverage, int(sites.counts.sum())
    if n and view.period.kind != "24h":
        parts = zip(KPI.parts, (sites.lden, sites.night), strict=True)
        means = [(name, float(sum(levels[sites.counts].tolist()) / n)) for name, levels in parts]
        return [Part(part=name, value=v, coverage=coverage, n_devices=n, notes=sites.notes) for name, v in means]
    why = Why(sites.notes, "low_coverage") if sites.devices else no_device("no noise sensor is registered")
    if sites.devices and view.period.kind == "24h":
        why = Why(ONLY_CALENDAR, "not_for_period")
    return [
        Part(part=name, value=None, coverage=coverage, n_devices=0, notes=why.text, reason=why.reason)
        for name in KPI.parts
    ]
