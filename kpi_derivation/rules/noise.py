"""Noise levels of the sites in a period: shared by the noise KPIs. Pure; dB."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi_derivation.engine.families.noise import PARTS, decibel, lden
from kpi_derivation.engine.view import HOUR_MS, View
from registry.city import Device, DeviceKind
from telemetry.series import FloatArray

KINDS: tuple[DeviceKind, ...] = ("noise",)
QUANTITIES = ("sound_energy",)


class Sites(NamedTuple):
    """Per site: share of the period's hours that were valid, Lden and Lnight (NaN without), and whether it counts."""

    devices: tuple[Device, ...]
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
    out = [d.id for d, ok in zip(days.devices, counts, strict=True) if not ok]
    notes = f"left out, too few hours: {', '.join(out)}" if out else ""
    return Sites(days.devices, np.asarray(capture), total, levels["night"], counts, notes)
