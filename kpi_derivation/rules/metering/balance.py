"""Use, generation and export of the same hours: shared by the KPIs of own generation. Pure.

What one meter lacks in an hour must not be set against what the others counted in it: only hours in which all meters
are whole count. Of many meters some always lack something: where less than `period_capture` of the hours are whole of
all, those count in which at least 95 % of the meters of each side are, and the notes state it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.days.balance import Meters
from kpi_derivation.engine.view import View
from kpi_derivation.rules.metering.energy import METERS, QUANTITIES, generates
from kpi_derivation.rules.metering.generation import EXPORTED
from registry.city import Device

MOST = 0.95
Sides = tuple[Meters, Meters, Meters]


class Balanced(NamedTuple):
    """kWh used (drawn), generated and exported in the hours that count; their share of the passed time; notes."""

    drawn: float
    made: float
    out: float
    coverage: float
    notes: str

    @property
    def own(self) -> float:
        """Generation that was not exported."""
        return max(self.made - self.out, 0.0)


def balanced(view: View, *, with_use: bool = True) -> Balanced:
    """The energies of the hours that count; `with_use`: whether the meters of use must be whole too."""
    asked = _sides(view, with_use=with_use)
    if not any(asked):
        return Balanced(0.0, 0.0, 0.0, 0.0, "no meters")
    found = view.balance(asked)
    due = found.due.sum(axis=0) > 0
    hours = len(due)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(found.due > 0, found.whole / found.due, 1.0).min(axis=0, initial=1.0)
    counts, coverage = due & (share == 1.0), 0.0
    notes = f"over {int(counts.sum())} of {hours} hours, in which all meters are whole"
    if hours:
        coverage = float(counts.mean())
        if coverage < view.city.rules.period_capture:
            most = due & (share >= MOST)
            if (of_most := float(np.where(most, share, 0.0).mean())) > coverage:
                counts, coverage = most, of_most
                notes = f"over {int(counts.sum())} of {hours} hours, in which {100 * MOST:g} % of the meters are whole"
    drawn, made, out = found.kwh[:, counts].sum(axis=1).tolist()
    return Balanced(drawn, made, out, coverage, notes)


def _sides(view: View, *, with_use: bool) -> Sides:
    """Of use, of generation and of export. Of the quantities that a meter has the first counts, as in `meters`.

    Those of use are named when they are first asked for: without generation they never are, and there are the most.
    """
    key, of_use = ("sides of a balance",), ("side of use",)
    if key not in view.index:
        use, by_name = dict[str, Device](), (set[tuple[str, str]](), set[tuple[str, str]]())
        for device in (d for q in (*QUANTITIES, *EXPORTED) for d in view.devices(METERS, q)):
            if quantity := _counted_by(device):
                if generates(device):
                    by_name[0].add((device.id, quantity))
                else:
                    use[device.id] = device
            if EXPORTED[0] in device.quantities:
                by_name[1].add((device.id, EXPORTED[0]))
        view.index[key] = tuple(use.values()), tuple(sorted(by_name[0])), tuple(sorted(by_name[1]))
    users, made, out = view.index[key]
    if not with_use:
        return (), made, out
    if of_use not in view.index:
        view.index[of_use] = tuple(sorted((device.id, _counted_by(device)) for device in users)), made, out
    sides: Sides = view.index[of_use]
    return sides


def _counted_by(device: Device) -> str:
    return next((q for q in QUANTITIES if q in device.quantities), "")
