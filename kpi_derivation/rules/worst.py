"""An air quality index of a city: that of the worst pollutant at the worst station. Pure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.air.stations import QUANTITIES, kinds_of, mass_scale
from kpi_derivation.rules.presence import captures, in_service
from kpi_derivation.rules.ratios import joined
from registry.city import DeviceKind
from telemetry.kpi_value import Reason
from telemetry.series import FloatArray

Highest = Callable[[View, str, tuple[DeviceKind, ...]], FloatArray]
Index = Callable[[str, float], float]


def worst(
    view: View, highest: Highest, index: Index, name: Callable[[float], str], nothing: str, celsius: float
) -> list[Part]:
    """One part, without a name.

    `highest`: per station what counts of a pollutant, µg/m³, NaN where nothing does. `index`: of a pollutant
    and concentration. `name`: what goes before the pollutants in the notes. `nothing`: why there is no value,
    where some station measures. `celsius`: at which the index defines the mass of gases. The coverage is the
    mean share of the hours in service that are valid, over stations and pollutants; of a calendar period with
    less than `period_capture` of them the value is of a part only.
    """
    found, labels, coverage, stations = [], [], list[float](), set[str]()
    for quantity in QUANTITIES:
        kinds, label = kinds_of(view, quantity)
        devices = view.devices(kinds, quantity)
        values = highest(view, quantity, kinds) * mass_scale(view, devices, quantity, celsius)
        there = ~np.isnan(values)
        rows = view.rows(quantity, kinds)
        coverage += captures(view, rows)[1][in_service(view, rows.devices)].tolist()
        devices = view.devices(kinds, quantity)
        view.mark(devices, there)
        stations |= {d.id for d, ok in zip(devices, there, strict=True) if ok}
        if there.any():
            found.append((index(quantity, float(values[there].max())), quantity))
            labels.append(label)
    share = sum(coverage) / len(coverage) if coverage else 0.0
    if not found:
        stale = view.period.kind == "24h"
        why = nothing if coverage else "no station of the city measures a pollutant of the index"
        why = "too little was measured in the last three hours" if coverage and stale else why
        reason: Reason = "no_device" if not coverage else "stale" if stale else "no_data"
        return [Part(value=None, coverage=share, n_devices=0, notes=why, reason=reason)]
    value = max(i for i, _ in found)
    pollutants = ", ".join(q for i, q in found if i == value)
    notes = joined(f"{name(value)}{pollutants}; of {len(found)} pollutants", *dict.fromkeys(labels))
    part_only = view.period.kind != "24h" and share < view.city.rules.period_capture
    of_part: Reason = "partial_period" if part_only else ""
    return [Part(value=value, coverage=share, n_devices=len(stations), notes=notes, reason=of_part)]
