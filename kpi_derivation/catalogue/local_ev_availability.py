"""LOCAL:EV:AVAILABILITY: share of the reports of connectors without a fault, %, mean over the chargers.

From connector states that a charger reports at equal steps. A charger that is silent is unknown, neither available nor
not: the coverage shows how much time was reported.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import CHARGERS
from kpi_derivation.rules.presence import expected
from kpi_derivation.rules.reasons import no_data, no_device
from telemetry.kpi_value import Reason

KPI = local_kpi(
    "LOCAL:EV:AVAILABILITY", "EV charger availability", "%", "Share of reports without a fault", "EV charging"
)
METHOD = "charger-availability/1"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = view.rows("connector_fault", CHARGERS)
    seen = rows.n > 0
    if not seen.any():
        none = no_device("no charger that reports its state is registered")
        why = no_data("no charger reported its state") if len(rows) else none
        return [Part(value=None, coverage=0.0, n_devices=0, notes=why.text, reason=why.reason)]
    due = expected(view, rows.devices)
    coverage = float(np.minimum(rows.covered, due).sum() / max(due.sum(), 1.0))
    view.mark(rows.devices, seen)
    fault = (rows.sum[seen] / rows.n[seen]).tolist()
    value = 100.0 * (1.0 - sum(fault) / len(fault))
    reason: Reason = "partial_period" if coverage < view.city.rules.period_capture else ""
    n = len(fault)
    return [
        Part(
            value=value, coverage=coverage, n_devices=n, notes="", reason=reason, numerator=n - sum(fault),
            denominator=float(n),
        )
    ]  # fmt: skip
