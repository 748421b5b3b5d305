"""Open windows of very many readings, which are not sent with every flush: each send reads all readings of a window."""

from __future__ import annotations

import numpy as np

from telemetry.partials import Partials

_LONGEST_MS = 15_000
_SMALL = 1000  # readings; a flush comes every second, so a wait of a second changes nothing


class LargeWindows:
    """A window waits as many ms as it had readings when it was read, at most 15 seconds.

    So reading one takes a small, fixed part of the time, however fast its sender is, and the windows of others leave
    with the next flush. A sender of 100 readings a second is up to 6 s behind.
    """

    def __init__(self) -> None:
        self._until: dict[tuple[int, int], int] = {}  # (series, start) -> ms UTC

    def waiting(self, now: int) -> list[tuple[int, int]]:
        """Series and start of the windows that are not read yet. `now`: ms UTC; one that was set back ends the wait."""
        self._until = {window: t for window, t in self._until.items() if now < t <= now + _LONGEST_MS}
        return list(self._until)

    def note(self, partials: Partials, now: int) -> float:
        """These windows are read at `now`, ms UTC. Returns the share of their readings that is not in large ones."""
        count = partials.n + partials.flagged
        large = count > _SMALL
        for row in np.flatnonzero(large).tolist():
            window = int(partials.series[row]), int(partials.start[row])
            self._until[window] = now + min(int(count[row]), _LONGEST_MS)
        return float(count[~large].sum() / count.sum()) if large.any() else 1.0
