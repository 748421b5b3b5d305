"""Charging sessions of a period: shared by the EV KPIs. Pure.

A session counts whole in the period of its start, city time. Sessions are events: a charger without one is idle, or not
installed yet, or removed. So the coverage is the share of the expected time (`presence`) in which the chargers were
alive; with less than `period_capture` the value is of a part of the period, is never final and is not compared.
"""

from __future__ import annotations

from typing import NamedTuple

from kpi_derivation.engine.view import Rows, View
from kpi_derivation.rules.presence import expected, observed
from registry.city import Device, DeviceKind
from telemetry.kpi_value import Reason
from telemetry.series import FloatArray

CHARGERS: tuple[DeviceKind, ...] = ("ev_charger",)
SIGNS = ("session_energy", "connector_fault")  # readings that show that a charger works


def sessions(view: View) -> Rows:
    """Sessions per charger: `n` sessions, `sum` kWh."""
    return view.rows("session_energy", CHARGERS)


class Reporting(NamedTuple):
    """Share of the expected charger time in which they were alive, chargers that were, and notes.

    `reason`: empty where the whole period is known; then no session is zero sessions. `observed`: ms of each charger.
    """

    coverage: float
    n_devices: int
    notes: str
    reason: Reason
    observed: FloatArray

    @property
    def known(self) -> bool:
        """Whether there is a value at all, of the whole period or a part."""
        return self.reason in ("", "partial_period")


def reporting(view: View, rows: Rows, *, counts: bool = True) -> Reporting:
    """How much of the period is known of the chargers whose sessions are `rows`.

    `counts`: whether the chargers that were alive count in the value.
    """
    there, alive = view.once(("charging", id(rows.devices)), lambda v: _times(v, rows.devices))
    coverage = float(alive.sum() / there.sum()) if there.sum() else 0.0
    if counts:
        view.mark(rows.devices, alive > 0)
    n, of = int((alive > 0).sum()), int((there > 0).sum())
    notes = f"coverage: time from first to last reading; {n} of {of} chargers"
    if not of:
        return Reporting(0.0, 0, "no charger is registered", "no_device", alive)
    whole = coverage >= view.city.rules.period_capture
    if (rows.n > 0).any() or whole:
        return Reporting(coverage, n, notes, "" if whole else "partial_period", alive)
    return Reporting(coverage, n, f"no session in the period; {notes}", "no_data", alive)


def _times(view: View, devices: tuple[Device, ...]) -> tuple[FloatArray, FloatArray]:
    """Ms of the period in which each device is expected, and was alive; `devices`: as a view gave them."""
    return expected(view, devices), observed(view, devices, *SIGNS)
