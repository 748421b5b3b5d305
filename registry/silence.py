"""When a device counts as silent: one rule for dashboards, alerts, API and page. Pure."""

from __future__ import annotations

from registry.city import Device
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY, MINUTE

LEAST_SILENCE = 15 * MINUTE
INTERVALS = 3
EVENTS_ONLY = 7 * DAY


def silent_after(device: Device | None, learnt_ms: float = 0.0) -> int:
    """Ms without a reading after which a device is silent: three intervals, at least 15 minutes; a week for events.

    `learnt_ms`: the interval seen in its readings, for a device that the city file has not or without `interval_s`.
    """
    if device and device.quantities and all(QUANTITIES[q].event for q in device.quantities):
        return EVENTS_ONLY
    interval = 1000 * device.interval_s if device and device.interval_s else learnt_ms
    return max(LEAST_SILENCE, round(INTERVALS * interval))
