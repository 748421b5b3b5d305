"""Noise levels of the sites in a period: shared by the noise KPIs. Pure; dB."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi_derivation.engine.families.noise import PARTS, decibel, lden
from kpi_derivation.engine.view import HOUR_MS, View
from kpi_derivation.rules.presence import expected as expected_ms
from kpi_derivation.rules.presence import in_service
from registry.city import Device, DeviceKind
from telemetry.series import FloatArray

KINDS: tuple[DeviceKind, ...] = ("noise",)
QUANTITIES = ("sound_energy",)


class Sites(NamedTuple):
    """Per site: share of the period's hours that were valid, Lden and Lnight (NaN without), and whether it counts.

    Of the sites in service in the period; `coverage`: mean share of the hours in which they were.
    """

    devices: tuple[Device, ...]
    coverage: float
    capture: FloatArray
    lden: FloatArray
    night: FloatArray
    counts: npt.NDArray[np.bool_]
    notes: str


def site_levels(view: View) -> Sites:
    """Levels of all registered sites over the period's civil days."""
    days = view.daily("sound_energy", KINDS)
    energy = {p: np.nan_to_num(days[f"energy_{p}"]).sum(axis=1) for p in PARTS}
    hours = {p: np.nan_to_num(days[f"hours_{p}"]).sum(axis=1) for p in PARTS}
    levels = {p: decibel(energy[p], hours[p]) for p in PARTS}
    expected = max(view.expected_ms / HOUR_MS, 1.0)
    capture = np.minimum(sum(hours.values()) / expected, 1.0)
    total = lden(levels["day"], levels["evening"], levels["night"])
    counts = (capture >= view.city.rules.period_capture) & ~np.isnan(total)
    there, due = in_service(view, days.devices), expected_ms(view, days.devices)
    devices = tuple(d for d, ok in zip(days.devices, there, strict=True) if ok)
    of_own = np.minimum(sum(hours.values())[there] * HOUR_MS / np.maximum(due[there], HOUR_MS), 1.0)
    coverage, counts = float(of_own.mean()) if len(of_own) else 0.0, counts[there]
    out = [d.id for d, ok in zip(devices, counts, strict=True) if not ok]
    view.mark(devices, counts)
    notes = f"left out, too few hours: {', '.join(out)}" if out else ""
    return Sites(devices, coverage, np.asarray(capture)[there], total[there], levels["night"][there], counts, notes)
