"""EN:EN:AQ:1C Air Pollution: annual mean concentration of five pollutants, µg/m³ (Verification Manual p95).

Method: an hour is valid with `hour_capture` of its expected readings; a station's value is the mean of its valid
hourly means; a station counts with `period_capture` of the period's hours (the publisher sets no capture rule; these
defaults are ours, after 2008/50/EC Annex VII). Where no station does, those count that have it for their time in
service, and the value is partial (`partial_period`). The city's value is the plain mean over the stations that
count (the publisher does not define how to aggregate). Negative values are kept. Reference and low-cost stations are
never mixed unless the rule `mixed_air_kinds` says so; a city with low-cost sensors only gets an indicative value,
marked as such.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kpi_derivation.engine.view import Part, Rows, View
from kpi_derivation.rules.air.notes import CONFIRMED, calibrated, spikes, suspects
from kpi_derivation.rules.air.stations import QUANTITIES, kinds_of
from kpi_derivation.rules.presence import counted_by_hours, in_service
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import no_data, no_device
from registry.city import Device
from telemetry.series import FloatArray

BoolArray = npt.NDArray[np.bool_]

CODE = "EN:EN:AQ:1C"
METHOD = "air-annual-mean/1"
REGION = "population"


def derive(view: View) -> list[Part]:
    """One part a pollutant."""
    return [_part(view, quantity) for quantity in QUANTITIES]


def _part(view: View, quantity: str) -> Part:
    kinds, label = kinds_of(view, quantity)
    rows = view.rows(quantity, kinds)
    there = in_service(view, rows.devices)
    if not there.any() or not rows.hours.sum():
        none = no_device("no station of the city measures it")
        why = no_data("no valid hour in the period") if there.any() else none
        return Part(part=quantity, value=None, coverage=0.0, n_devices=0, notes=why.text, reason=why.reason)
    capture, coverage, counts, reason = counted_by_hours(view, rows)
    suspect = suspects(view, quantity, rows.devices)
    exclude = view.city.rules.exclude_suspect
    apart = {d for d, said in suspect.items() if said.endswith(CONFIRMED) or not exclude}
    used = counts & ~np.array([d.id in apart for d in rows.devices]) if exclude else counts
    left_out = _left_out(rows, capture, counts, view)
    corrected, spiky = calibrated(view, quantity, rows.devices), spikes(view, quantity, rows.devices)
    notes_before = (label, left_out, _interval_note(rows), corrected, spiky)
    if not used.any():
        notes = joined(*notes_before, *suspect.values())
        return Part(part=quantity, value=None, coverage=coverage, n_devices=0, notes=notes, reason="low_coverage")
    value, how = _mean(view, rows, used)
    other = _other_mean(view, rows, counts, apart) if apart else ""
    view.mark(rows.devices, used, quantity)
    notes, n = joined(*notes_before, how, *suspect.values(), other), int(used.sum())
    reason = "missing_setting" if value is None else reason
    return Part(part=quantity, value=value, coverage=coverage, n_devices=n, notes=notes, reason=reason)


def _mean(view: View, rows: Rows, used: BoolArray) -> tuple[float | None, str]:
    """The city's mean of the stations' means, and how it was weighted."""
    means = (rows.hour_sum[used] / rows.hours[used]).tolist()
    devices = [d for d, ok in zip(rows.devices, used, strict=True) if ok]
    if not view.city.rules.population_weighted_air:
        return float(sum(means) / len(means)), ""
    if any(d.population is None for d in devices):
        return None, "set population in the [[device]] entries of the stations"
    return weighted(means, devices), "weighted by the population of the stations"


def weighted(means: list[float], devices: list[Device]) -> float:
    """Mean weighted by the people each station stands for."""
    people = [d.population or 0.0 for d in devices]
    return float(sum(m * p for m, p in zip(means, people, strict=True)) / sum(people))


def _other_mean(view: View, rows: Rows, counts: BoolArray, apart: set[str]) -> str:
    """The mean with (or without) the suspect stations, beside the value without (or with) them."""
    if view.city.rules.exclude_suspect:
        return f"with them {_mean(view, rows, counts)[0]:.4f} ug/m3"
    without = counts & ~np.array([d.id in apart for d in rows.devices])
    if not without.any():
        return "no other station counts"
    value, _ = _mean(view, rows, without)
    return "" if value is None else f"without them {value:.4f} ug/m3"


def _left_out(rows: Rows, capture: FloatArray, counts: object, view: View) -> str:
    rule = view.city.rules.period_capture
    out = [
        f"{d.id} {100 * c:.2f} %"
        for d, c, ok, due in zip(rows.devices, capture, np.asarray(counts), in_service(view, rows.devices), strict=True)
        if due and not ok
    ]
    return f"left out, capture under {100 * rule:g} %: {', '.join(out)}" if out else ""


def _interval_note(rows: Rows) -> str:
    own = any(d.interval_s is None for d in rows.devices)
    return "interval: the devices' own median step" if own else ""
