"""Exported energy of a period: shared by the KPIs of own generation. Pure."""

from __future__ import annotations

from typing import NamedTuple

from kpi_derivation.engine.view import View
from kpi_derivation.rules.metering.energy import METERS, generates
from kpi_derivation.rules.metering.meters import sum_in_order

EXPORTED = ("energy_export_total",)


class Exported(NamedTuple):
    """kWh fed into the grid, the meters that gave any, and all that have an export register.

    `others`: of the meters that gave any, those that do not count generation too.
    """

    kwh: float
    n_devices: int
    registered: int
    others: int


def exported(view: View, *, counts: bool = True) -> Exported:
    """The steps of all export registers. `counts`: whether their meters count in the value."""
    rows = view.rows(EXPORTED[0], METERS)
    given = rows.n > 0
    others = given & ~view.picked(rows.devices, "export of generation", generates)
    if counts:
        view.mark(rows.devices, others)
    return Exported(sum_in_order(rows.increase), int(given.sum()), len(rows), int(others.sum()))
