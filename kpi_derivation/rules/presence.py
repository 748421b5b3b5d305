"""When devices were present and reporting: shared by KPIs of events. Pure.

Without events there are no readings. A device counts as alive from its first to its last reading, and up to now where
that is less than `GRACE` ago; it is expected from `since` to `until` of its registry entry, or always.
"""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from kpi_derivation.engine.view import View
from registry.city import Device
from telemetry.periods import midnight
from telemetry.series import FloatArray
from telemetry.windows import DAY

GRACE = 7 * DAY


def registered(device: Device, zone: ZoneInfo) -> tuple[float, float]:
    """Ms UTC from and to which a device is expected; `until` is its last day."""
    since = -np.inf if device.since is None else midnight(date.fromisoformat(device.since), zone)
    after = None if device.until is None else date.fromisoformat(device.until) + timedelta(days=1)
    return float(since), np.inf if after is None else float(midnight(after, zone))


def expected(view: View, devices: tuple[Device, ...]) -> FloatArray:
    """Ms of the part of the period that has passed in which each device is expected."""
    spans = np.array([registered(d, view.city.zone) for d in devices]).reshape(-1, 2)
    return _overlap(view, spans[:, 0], spans[:, 1])


def observed(view: View, devices: tuple[Device, ...], *quantities: str) -> FloatArray:
    """Ms of the expected time in which each device was alive."""
    first, last = view.life(devices, *quantities)
    spans = np.array([registered(d, view.city.zone) for d in devices]).reshape(-1, 2)
    last = np.where(last + GRACE >= view.now, np.inf, last)
    return _overlap(view, np.fmax(np.nan_to_num(first, nan=np.inf), spans[:, 0]), np.fmin(last, spans[:, 1]))


def _overlap(view: View, start: FloatArray, end: FloatArray) -> FloatArray:
    a, b = np.maximum(start, view.period.start), np.minimum(np.nan_to_num(end, nan=-np.inf), view.passed_until)
    return np.asarray(np.maximum(b - a, 0.0))
