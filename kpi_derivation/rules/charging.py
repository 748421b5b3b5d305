"""Charging sessions of a period: shared by the EV KPIs. Pure.

A session counts whole in the period of its start, city time. Sessions are events: that a charger reported none may be
rest or outage, so coverage counts the chargers that reported at least one.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Rows, View
from registry.city import DeviceKind

CHARGERS: tuple[DeviceKind, ...] = ("ev_charger",)


def sessions(view: View) -> Rows:
    """Sessions per charger: `n` sessions, `sum` kWh."""
    return view.rows("session_energy", CHARGERS)


def reporting(rows: Rows) -> tuple[float, int, str]:
    """Coverage, number of chargers that reported, and the note that explains the coverage."""
    seen = int((rows.n > 0).sum())
    coverage = seen / len(rows) if len(rows) else 0.0
    if seen:
        return coverage, seen, "coverage: chargers that reported a session"
    return coverage, 0, "no session in the period" if len(rows) else "no charger is registered"
