"""When a device is in service: from the start of its day `since` to the end of its day `until`, city time. Pure."""

from __future__ import annotations

import math
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from registry.city import Device
from telemetry.periods import midnight


def service_time(device: Device, zone: ZoneInfo) -> tuple[float, float]:
    """Ms UTC from and to which a device is expected; infinite where its entry does not say."""
    since = -math.inf if device.since is None else float(midnight(date.fromisoformat(device.since), zone))
    after = None if device.until is None else date.fromisoformat(device.until) + timedelta(days=1)
    return since, math.inf if after is None else float(midnight(after, zone))
