"""LOCAL:EV:UTILISATION: time vehicles were connected / time all connectors were there, %.

Connected time is split at the hours it spans, so it counts where it happened. The number of connectors of a charger is
`connectors` in its [[device]] entry, 1 where it is not given. A session without an end counts no time.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import CHARGERS, reporting, sessions

KPI = local_kpi(
    "LOCAL:EV:UTILISATION", "EV charger utilisation", "%", "Connected time over connector time", "EV charging"
)
METHOD = "charger-utilisation/1"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    coverage, seen, notes = reporting(sessions(view))
    # A registry lists `session_energy`; the time connected comes with the same sessions.
    chargers = view.devices(CHARGERS)
    connected = sum(view.rows("connected_time", CHARGERS, listed=False).sum.tolist())
    connectors = sum(d.connectors for d in chargers)
    if not connected or not connectors or not view.expected_ms:
        return [
            Part(value=None, coverage=coverage, n_devices=seen, notes=notes if not seen else "no session has an end")
        ]
    value = 100.0 * connected * 1000.0 / (connectors * view.expected_ms)
    if value > 100.0:
        notes += "; over 100 %: set connectors in the [[device]] entries"
    return [Part(value=value, coverage=coverage, n_devices=seen, notes=notes)]
