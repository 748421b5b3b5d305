"""EN:EN:AQ:1C Air Pollution: annual mean concentration of five pollutants, µg/m³ (Verification Manual p95).

Method: an hour is valid with `hour_capture` of its expected readings; a station's value is the mean of its valid
hourly means; a station counts with `period_capture` of the period's hours (the publisher sets no capture rule; these
defaults are ours, after 2008/50/EC Annex VII); the city's value is the plain mean over the stations that count (the
publisher does not say how to aggregate). Negative values are kept. Reference and low-cost stations are never mixed
unless the rule `mixed_air_kinds` says so; a city with low-cost sensors only gets an indicative value, and says it.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.view import HOUR_MS, Part, Rows, View
from telemetry.city import DeviceKind

CODE = "EN:EN:AQ:1C"
METHOD = "air-annual-mean/1"
QUANTITIES = ("pm2_5", "pm10", "no2", "so2", "o3")
KINDS: tuple[DeviceKind, ...] = ("air_reference", "air_lowcost")


def derive(view: View) -> list[Part]:
    """One part a pollutant."""
    return [_part(view, quantity) for quantity in QUANTITIES]


def _part(view: View, quantity: str) -> Part:
    kinds, label = _kinds(view, quantity)
    rows = view.rows(quantity, kinds)
    if not len(rows) or not rows.hours.sum():
        why = "no valid hour in the period" if len(rows) else "no station of the city measures it"
        return Part(part=quantity, value=None, coverage=0.0, n_devices=0, notes=why)
    capture = rows.hours * HOUR_MS / max(view.expected_ms, HOUR_MS)
    counts = (capture >= view.city.rules.period_capture) & (rows.hours > 0)
    coverage = float(np.minimum(capture, 1.0).mean())
    notes = "; ".join(filter(None, (label, _left_out(rows, capture, counts, view), _interval_note(rows))))
    if not counts.any():
        return Part(part=quantity, value=None, coverage=coverage, n_devices=0, notes=notes)
    means = rows.hour_sum[counts] / rows.hours[counts]
    value = float(sum(means.tolist()) / len(means))
    return Part(part=quantity, value=value, coverage=coverage, n_devices=len(means), notes=notes)


def _kinds(view: View, quantity: str) -> tuple[tuple[DeviceKind, ...], str]:
    """Which kinds of stations the value rests on, and what must be said of it."""
    if view.city.rules.mixed_air_kinds:
        return KINDS, "reference and low-cost stations mixed by rule"
    if view.devices(("air_reference",), quantity):
        return ("air_reference",), ""
    return ("air_lowcost",), "indicative: low-cost sensors" if view.devices(("air_lowcost",), quantity) else ""


def _left_out(rows: Rows, capture: np.ndarray[tuple[int], np.dtype[np.float64]], counts: object, view: View) -> str:
    rule = view.city.rules.period_capture
    out = [
        f"{d.id} {100 * c:.2f} %" for d, c, ok in zip(rows.devices, capture, np.asarray(counts), strict=True) if not ok
    ]
    return f"left out, capture under {100 * rule:g} %: {', '.join(out)}" if out else ""


def _interval_note(rows: Rows) -> str:
    own = any(d.interval_s is None for d in rows.devices)
    return "interval: the devices' own median step" if own else ""
