"""What must be said of the stations behind an air quality value: suspect days, spikes, calibrations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from kpi_derivation.engine.days.neighbours import CONFIRMED as FAR_ALONE
from kpi_derivation.engine.days.neighbours import DRIFTS, EMPTY, STUCK, WORDS
from kpi_derivation.engine.view import View
from kpi_derivation.rules.air.calibration import used
from kpi_derivation.rules.air.stations import KINDS
from registry.city import Device
from telemetry.series import BoolArray, FloatArray

LEAST_DAYS = 7  # flagged days in a period from which a station is called suspect
LEAST_EMPTY = 2  # and days without any particles
CONFIRMED = ", confirmed"  # the end of the sentence on a station whose fault is confirmed


def _is_confirmed(flags: FloatArray) -> bool:
    """Whether the flags of a station's measured days confirm a fault."""
    surely = (flags == FAR_ALONE) | (flags == STUCK)
    return _longest_run(surely) >= LEAST_DAYS or int((flags == EMPTY).sum()) >= LEAST_EMPTY


def _longest_run(days: BoolArray) -> int:
    """The largest number of true values in a row."""
    ends = np.flatnonzero(np.diff(np.concatenate(([False], days, [False])).astype(np.int64)))
    return int((ends[1::2] - ends[::2]).max(initial=0))


def suspects(view: View, quantity: str, devices: Sequence[Device]) -> dict[str, str]:
    """Stations with days flagged against their neighbours, each with its sentence for the notes.

    It ends with CONFIRMED where a rule may leave the station out: where it drifts far and alone, or is stuck, on
    LEAST_DAYS measured days in a row, or has LEAST_EMPTY days without any particles.
    """
    if view.period.kind in ("24h", "day"):
        return {}
    days = view.daily(quantity, KINDS)
    wanted, found = {d.id for d in devices}, {}
    flagged, empty = ((days["suspect"] >= least).sum(axis=1) for least in (DRIFTS, EMPTY))
    often = np.flatnonzero((flagged >= LEAST_DAYS) | (empty >= LEAST_EMPTY))
    for device, row, hours in ((days.devices[i], days["suspect"][i], days["hours"][i]) for i in often.tolist()):
        at = np.flatnonzero(row > 0)
        if device.id in wanted:
            first = date.fromordinal(days.first + int(at[0]))
            kinds = ", ".join(
                WORDS[k] for k in sorted(set(row[at].tolist())) if k != DRIFTS or FAR_ALONE not in row[at]
            )
            sentence = f"suspect: {device.id} {kinds} against its neighbours on {len(at)} days from {first}"
            found[device.id] = sentence + (CONFIRMED if _is_confirmed(row[hours > 0]) else "")
    return found


def spikes(view: View, quantity: str, devices: Sequence[Device]) -> str:
    """Single hours of these stations far above both neighbours; they are counted in the mean."""
    if view.period.kind == "24h":
        return ""
    days = view.daily(quantity, KINDS)
    hours = np.nansum(days["spikes"], axis=1)
    wanted = {d.id for d in devices}
    found = ((days.devices[i].id, hours[i]) for i in np.flatnonzero(hours).tolist())
    named = [f"{device} {n:g} h" for device, n in found if device in wanted]
    return f"spikes (kept): {', '.join(named)}" if named else ""


def calibrated(view: View, quantity: str, devices: Sequence[Device]) -> str:
    """The calibration entries in force in the period."""
    has = view.picked(tuple(devices), "calibration", _has_entries)
    named = [
        f"{d.id} version {'+'.join(str(e.version) for e in entries)}"
        for d in (devices[i] for i in np.flatnonzero(has).tolist())
        if (entries := used(d, quantity, view.period.start, view.period.end))
    ]
    return f"calibrated: {', '.join(named)}" if named else ""


def _has_entries(device: Device) -> bool:
    return bool(device.calibration)
