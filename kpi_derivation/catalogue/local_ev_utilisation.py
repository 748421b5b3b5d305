"""LOCAL:EV:UTILISATION: time vehicles were connected / time in which the connectors were alive, %.

Connected time is split at the hours it spans, so it counts where it happened. The number of connectors of a charger is
`connectors` in its [[device]] entry, 1 where it is not given. A session without an end counts no time.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import HOUR_MS, Part, View
from kpi_derivation.rules.charging import CHARGERS, reporting, sessions

KPI = local_kpi(
    "LOCAL:EV:UTILISATION", "EV charger utilisation", "%", "Connected time over connector time", "EV charging"
)
METHOD = "charger-utilisation/2"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = sessions(view)
    found = reporting(view, rows)
    # A registry lists `session_energy`; the time connected comes with the same sessions.
    connected = sum(view.rows("connected_time", CHARGERS, listed=False).sum.tolist())
    connectors = np.array([d.connectors for d in rows.devices], dtype=np.float64)
    there = float((connectors * found.observed).sum())
    notes, reason = found.notes, found.reason
    if found.known and not connected and (rows.n > 0).any():
        notes, reason = "no session has an end", "no_data"
    if reason not in ("", "partial_period") or there <= 0:
        return [Part(value=None, coverage=found.coverage, n_devices=found.n_devices, notes=notes, reason=reason)]
    value = 100.0 * connected * 1000.0 / there
    if value > 100.0:
        notes += "; over 100 %: set connectors in the [[device]] entries"
    return [
        Part(
            value=value, coverage=found.coverage, n_devices=found.n_devices, notes=notes, reason=reason,
            numerator=connected * 1000.0 / HOUR_MS, denominator=there / HOUR_MS,
        )
    ]  # fmt: skip
