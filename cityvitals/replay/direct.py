"""Windows of a first import: they go from memory to ingest, and the outbox need not hold them and be read.

A reading is of such a window where it is newer than all earlier ones of its series, and no two of the chunk are the
same. Others, as those that continue a window, go through the outbox, which sends the whole window again.
"""

from __future__ import annotations

import numpy as np

from adapters.sqlite.buffer import Buffer
from telemetry.readings import Readings
from telemetry.series import BoolArray
from telemetry.windows import window_start

_NONE = np.iinfo(np.int64).min


class Direct:
    """For one city, used where the buffer holds no reading of it. `interrupted`: an earlier run ended in between; all
    windows are in the outbox again.
    """

    def __init__(self, buffer: Buffer, city: str) -> None:
        self._buffer, self._mark = buffer, f"gw_unsent:{city}"
        self.interrupted = bool(buffer.counters().get(self._mark))  # a run that was killed
        if self.interrupted:
            with buffer.transaction():
                buffer.mark_all_dirty()
                self._note(-buffer.counters()[self._mark])
        self._usable = not buffer.pruned_before and all(s.city != city for s in buffer.table.all)
        self._newest = np.empty(0, dtype=np.int64)  # the newest window of each series
        self._noted = False

    def _note(self, amount: int) -> None:
        self._buffer.count({self._mark: amount})

    def rows(self, readings: Readings) -> BoolArray | None:
        """Which of the readings need not be in the outbox; None for none. Until `sent` a crash is noticed."""
        if not self._usable or not len(readings):
            return None
        window = window_start(readings.t, self._buffer.width)
        size = int(readings.series.max()) + 1
        if size > len(self._newest):
            self._newest = np.concatenate([self._newest, np.full(size - len(self._newest), _NONE)])
        found: BoolArray = window > self._newest[readings.series]
        np.maximum.at(self._newest, readings.series, window)
        if _has_twins(readings):
            return None
        if found.any() and not self._noted:
            self._note(1)
            self._noted = True
        return found

    def sent(self) -> None:
        """All of it is stored by ingest."""
        if self._noted:
            self._note(-1)
            self._noted = False


def _has_twins(readings: Readings) -> bool:
    """Whether two readings have one identity."""
    order = np.lexsort((readings.key, readings.t, readings.series))
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for column in (readings.series, readings.t, readings.key):
        same &= np.diff(column[order]) == 0
    return bool(same.any())
