"""Values that are not mapped to a quantity: counted, and the first message with each name kept as a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.routes import Route

_NAMES = 1000  # of which the first message is kept
_COUNTED = 10_000


class Unasked:
    """Unmapped values since the start. `new`: how many values since the last commit."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()  # (city, name) -> values
        self.new = 0
        self._met: list[tuple[str, str]] = []  # for the first time since the last commit

    def saved(self) -> None:
        """The transaction succeeded."""
        self.new, self._met = 0, []

    def forget(self) -> None:
        """It failed: its messages are still to be processed, and its new names are new then too."""
        for place in self._met:
            self.counts.pop(place, None)
        self.saved()

    def count(self, city: str, names: Sequence[str]) -> bool:
        """Count names that are known; False, and nothing is counted, where one is not."""
        places = [(city, name) for name in names]
        if not all(place in self.counts for place in places):
            return False
        self.counts.update(places)
        self.new += len(places)
        return True

    def note(self, address: str, route: Route, names: Sequence[str]) -> list[str]:
        """Count the names; a sentence for each that is seen for the first time."""
        self.new += len(names)
        first = []
        for name in names:
            place = route.city, name
            if place not in self.counts:
                if len(self.counts) < _NAMES:
                    first.append(
                        f"sample: '{name[:40]}' is not mapped to a quantity, at {address[:60]}; such values are counted"
                        " and further messages not kept (map it with `names` or list it under `ignore`)"
                    )
                elif len(self.counts) >= _COUNTED:
                    continue
                self._met.append(place)
            self.counts[place] += 1
        return first
