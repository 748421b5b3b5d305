"""Names of what arrives and is not served here: a misspelt city, an unlisted device. Counted by name, bounded."""

from __future__ import annotations

from collections.abc import Mapping

_PREFIX = "gw_not_served "
_NAMES = 50  # of this gateway's whole life; further ones are only in the count of all
_LONGEST = 130  # a city and a device


class NotServedNames:
    """How many messages of each name were not served, to be added to the buffer's counters."""

    def __init__(self, counters: Mapping[str, int]) -> None:
        self._known = {name for name in counters if name.startswith(_PREFIX)}
        self._new: dict[str, int] = {}

    def note(self, name: str) -> None:
        """Count one message; of a new name beyond the bound, nothing."""
        key = _PREFIX + name[:_LONGEST]
        if key not in self._known:
            if len(self._known) >= _NAMES:
                return
            self._known.add(key)
        self._new[key] = self._new.get(key, 0) + 1

    @property
    def new(self) -> dict[str, int]:
        """Counts since the last call of `saved`."""
        return self._new

    def saved(self) -> None:
        """What is new is on disk."""
        self._new = {}

    def forget(self) -> None:
        """It could not be stored; its messages are still to be processed."""
        self._new = {}


def named(counters: Mapping[str, int]) -> dict[str, int]:
    """Messages that were not served, by city or city/device, the most first."""
    found = {k.removeprefix(_PREFIX): n for k, n in counters.items() if k.startswith(_PREFIX)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
