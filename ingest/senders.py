"""The devices whose windows a gateway may send: those whose registry entry, or whose city, names it, else those it
was the first to send.

And the ranges of their values: those of the quantities, or of the device in the registry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np

from registry.city import City
from telemetry.errors import Rejected
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable

MOST = 20_000  # unregistered devices of one gateway


class Ownership(Protocol):
    """Which gateway was the first to send the windows of a device."""

    def of(self, city: str, device: str) -> str | None:
        """The gateway of a device, None where none has sent anything of it."""

    def held(self, gateway: str, is_listed: Callable[[str, str], bool]) -> int:
        """How many devices (city, id) the gateway has, without those that a city file lists."""

    def add(self, devices: Iterable[tuple[str, str]], gateway: str) -> None:
        """These devices (city, id) are the gateway's from now on."""


class Senders:
    """The rules of one ingest. `cities`: their files."""

    def __init__(self, owners: Ownership, cities: Mapping[str, City]) -> None:
        self._owners = owners
        self._devices = {city.id: city.by_id for city in cities.values()}
        self._unlisted = Counter[str]()  # gateway -> its devices that no file lists, once it was asked for
        self._registered = {
            (city.id, device.id): frozenset(device.gateway)
            for city in cities.values()
            for device in city.device
            if device.gateway
        }

        self._of_city = {city.id: frozenset(city.city.gateways) for city in cities.values() if city.city.gateways}
        self.ranges = {
            Series(city.id, device.id, quantity): limits
            for city in cities.values()
            for device in city.device
            for quantity, limits in device.plausible.items()
        }

    def checked(self, city: str, gateway: str, partials: Partials, table: SeriesTable) -> tuple[Partials, str]:
        """The windows that this gateway may send, and the reason why others are rejected; empty: none are."""
        series = np.unique(partials.series)
        devices = {number: table[number].device for number in series.tolist()}
        verdicts = {device: self._verdict(city, gateway, device) for device in sorted(set(devices.values()))}
        self._owners.add([(city, d) for d, wrong in verdicts.items() if not wrong], gateway)
        foreign = sorted(d for d, wrong in verdicts.items() if wrong)
        if not foreign:
            return partials, ""
        good = np.isin(partials.series, [n for n, device in devices.items() if not verdicts[device]])
        return partials.take(np.flatnonzero(good)), verdicts[foreign[0]]

    def _verdict(self, city: str, gateway: str, device: str) -> str:
        named = self._registered.get((city, device))
        if named is not None:
            return "" if gateway in named else f"device '{device}' is registered for gateway {', '.join(sorted(named))}"
        of_city = self._of_city.get(city)
        if of_city is not None and gateway not in of_city:
            known = ", ".join(sorted(of_city))
            return f"the gateways of city '{city}' are {known}; '{gateway}' may send none of its devices"
        owner = self._owners.of(city, device)
        if of_city is None and owner not in (None, gateway):
            return (
                f"device '{device}' is sent by gateway '{owner}'; name its gateways in its registry entry or in [city]"
            )
        if owner is None and not self._is_listed(city, device):
            if gateway not in self._unlisted:
                self._unlisted[gateway] = self._owners.held(gateway, self._is_listed)
            if self._unlisted[gateway] >= MOST:
                return f"device '{device}' is one more than {MOST} of gateway '{gateway}'; register it"
            self._unlisted[gateway] += 1
        return ""

    def _is_listed(self, city: str, device: str) -> bool:
        return device in self._devices.get(city, ())


def gateway_of(topic: str, city: str) -> str:
    """The gateway that sent a windows message. Raises Rejected where the topic names another city than the message."""
    levels = topic.split("/")
    if len(levels) != 5 or levels[2] != city:
        raise Rejected(f"windows of city '{city}' on the topic of another")
    return levels[3]
