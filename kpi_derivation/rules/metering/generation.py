"""Exported energy of a period: shared by the KPIs of own generation. Pure."""

from __future__ import annotations

from typing import NamedTuple

from kpi_derivation.engine.view import View
from kpi_derivation.rules.metering.energy import METERS

EXPORTED = ("energy_export_total",)


class Exported(NamedTuple):
    """kWh fed into the grid, the meters that gave any, and all that have an export register."""

    kwh: float
    n_devices: int
    registered: int


def exported(view: View) -> Exported:
    """The steps of all export registers."""
    rows = view.rows(EXPORTED[0], METERS)
    return Exported(float(sum(rows.increase.tolist())), int((rows.n > 0).sum()), len(rows))
