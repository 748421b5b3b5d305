"""When a device is in service: from the start of its day `since` to the end of its day `until`, city time. Pure."""

from __future__ import annotations

import math
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from registry.city import Device
from telemetry.periods import midnight

ALWAYS = (-math.inf, math.inf)  # one for all of the many devices that state neither


def service_time(device: Device, zone: ZoneInfo) -> tuple[float, float]:
    """Ms UTC from and to which a device is expected; infinite where its entry does not state it."""
    return days_between(device.since, device.until, zone)


def days_between(since: str | None, until: str | None, zone: ZoneInfo) -> tuple[float, float]:
    """Ms UTC of the start of the day `since` and of the end of the day `until`; infinite where there is none."""
    if since is None and until is None:
        return ALWAYS
    start = -math.inf if since is None else float(midnight(date.fromisoformat(since), zone))
    after = None if until is None else date.fromisoformat(until) + timedelta(days=1)
    return start, math.inf if after is None else float(midnight(after, zone))
