"""How many further devices one sender may name: meters of a numbered node, devices of a bridge. Pure.

Each adds series to buffer and store for good, so the number is limited. Devices that are known continue, and those that
the city files list are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable

from telemetry.errors import Rejected
from telemetry.series import Series

CHANNELS = 64  # of a device that its topic names
OTHERS = 20_000  # of an address that names no device, such as that of a network server

Device = tuple[str, str]


class OverShare(Rejected):
    """The sender has used its whole share of the buffer, or of devices: the message is counted and not stored."""


class Named:
    """The devices that senders have named. `known`: the series there are already; `listed`: those of the city files."""

    def __init__(self, known: Iterable[Series], listed: Container[Device] = ()) -> None:
        self._listed = listed
        self._known: set[Device] = {(s.city, s.device) for s in known}
        self._of: Counter[Device] = Counter()
        for city, device in self._known:
            levels = device.split(".")
            self._of.update((city, ".".join(levels[:n])) for n in range(1, len(levels)))

    def allows(self, city: str, device: str, sender: str, most: int) -> bool:
        """Whether a sender may name this device; where it may, the device is known from now on."""
        if (city, device) in self._known:
            return True
        if (city, device) not in self._listed:
            if self._of[city, sender] >= most:
                return False
            self._of[city, sender] += 1
        self._known.add((city, device))
        return True
