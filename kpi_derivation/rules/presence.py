"""When devices were in service, and how much of that is known to be measured. Pure.

A device is expected from `since` to `until` of its registry entry, or always; what it sends at another time counts
nowhere (`engine.days.in_service`). Without events there are no readings: a device that sends only events counts as
alive from its first to its last reading, and up to now where that is less than `GRACE` ago. One that sends other
readings too, every `interval_s`, is alive up to now as long as it is not silent (`registry.silence`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.view import HOUR_MS, Rows, View
from registry.city import Device
from registry.service_times import service_time
from registry.silence import silent_after
from telemetry.kpi_value import Reason
from telemetry.series import BoolArray, FloatArray
from telemetry.windows import DAY

GRACE = 7 * DAY  # of a device whose sending interval is unknown


def expected(view: View, devices: tuple[Device, ...]) -> FloatArray:
    """Ms of the part of the period that has passed in which each device is expected; `devices`: as a view gave them."""
    spans = _spans(view, devices)
    return np.full(len(devices), view.expected_ms) if spans is None else _overlap(view, spans[:, 0], spans[:, 1])


def in_service(view: View, devices: tuple[Device, ...]) -> BoolArray:
    """Which devices are in service at any time of the period; `devices`: as a view gave them."""
    spans = _spans(view, devices)
    if spans is None:
        return np.ones(len(devices), dtype=np.bool_)
    return np.asarray((spans[:, 0] < view.period.end) & (spans[:, 1] > view.period.start))


def captures(view: View, rows: Rows) -> tuple[FloatArray, FloatArray]:
    """Per device the share of the hours that have passed that are valid, and of those in which it was in service."""
    measured, due = rows.hours * HOUR_MS, expected(view, rows.devices)
    of_own = np.where(due > 0, measured / np.maximum(due, HOUR_MS), 0.0)
    return measured / max(view.expected_ms, HOUR_MS), np.minimum(of_own, 1.0)


def captures_of_time(view: View, rows: Rows) -> tuple[FloatArray, float]:
    """Per device the share of its time in service for which readings stand, and the mean of those in service."""
    due = expected(view, rows.devices)
    capture = np.where(due > 0, np.minimum(rows.covered / np.maximum(due, 1.0), 1.0), 0.0)
    return capture, float(capture[due > 0].mean()) if (due > 0).any() else 0.0


class Counting(NamedTuple):
    """Per device its share of the period's hours, and whether it counts; the coverage; why it is of a part only.

    Coverage is the mean share of the hours in which the devices were in service.
    """

    capture: FloatArray
    coverage: float
    counts: BoolArray
    reason: Reason


def counted_by_hours(view: View, rows: Rows) -> Counting:
    """The devices that count: those with `period_capture` of the period's valid hours.

    Where there is none, those with that share of the hours in which they were in service; then of a part only.
    """
    capture, of_own = captures(view, rows)
    rule, some, there = view.city.rules.period_capture, rows.hours > 0, in_service(view, rows.devices)
    whole, partly = (capture >= rule) & some, (of_own >= rule) & some
    reason: Reason = "" if whole.any() or not partly.any() else "partial_period"
    coverage = float(of_own[there].mean()) if there.any() else 0.0
    return Counting(capture, coverage, partly if reason else whole, reason)


def _spans(view: View, devices: tuple[Device, ...]) -> FloatArray | None:
    """`service_time` of each device, None where all are always expected; calculated once for the city."""
    key = ("in service", id(devices))  # kept with the devices, so that no others get their id
    if key not in view.index:
        limited = any(d.since or d.until for d in devices)
        spans = np.array([service_time(d, view.city.zone) for d in devices]).reshape(-1, 2) if limited else None
        view.index[key] = devices, spans
    found: FloatArray | None = view.index[key][1]
    return found


def observed(view: View, devices: tuple[Device, ...], *quantities: str) -> FloatArray:
    """Ms of the expected time in which each device was alive."""
    first, last = view.life(devices, *quantities)
    if not devices:
        return first
    spans = _spans(view, devices)
    spans = np.tile((-np.inf, np.inf), (len(devices), 1)) if spans is None else spans
    last = np.where(last + view.numbers(devices, "grace", _grace) >= view.now, np.inf, last)
    return _overlap(view, np.fmax(np.nan_to_num(first, nan=np.inf), spans[:, 0]), np.fmin(last, spans[:, 1]))


def _grace(device: Device) -> float:
    return float(silent_after(device)) if device.interval_s else GRACE


def _overlap(view: View, start: FloatArray, end: FloatArray) -> FloatArray:
    a, b = np.maximum(start, view.period.start), np.minimum(np.nan_to_num(end, nan=-np.inf), view.passed_until)
    return np.asarray(np.maximum(b - a, 0.0))
