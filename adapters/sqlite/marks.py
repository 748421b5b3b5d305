"""Which windows have been marked dirty since the outbox was last read: marking one of them twice changes nothing.

A generation distinguishes a window that was read for sending from a later state of it, so it must grow only with the
first change after that. At thousands of readings a second most marks are saved.
"""

from __future__ import annotations

import numpy as np

from adapters.sqlite.connection import WatchedConnection
from telemetry.series import BoolArray, IntArray

_NONE = np.iinfo(np.int64).min


def group_starts(window: IntArray, series: IntArray) -> BoolArray:
    """The first row of each group of rows of one window."""
    new = np.empty(len(window), dtype=np.bool_)
    new[:1] = True
    new[1:] = (window[1:] != window[:-1]) | (series[1:] != series[:-1])
    return new


class Marks:
    """The last window of each series that was marked, in memory. Other programs may change the file at any time."""

    def __init__(self, db: WatchedConnection) -> None:
        self._db = db
        self._window = np.empty(0, dtype=np.int64)  # by series
        self._seen = (0, 0)  # the last version of the data by others, and how many transactions were rolled back

    def forget(self) -> None:
        """Every window is marked when it changes next: the outbox was read, or windows deleted."""
        self._window = np.empty(0, dtype=np.int64)

    def missing(self, window: IntArray | int, series: IntArray) -> BoolArray:
        """The rows whose windows must be marked; they count as marked from now on. Within the caller's transaction.

        `window`: of each row, or of all. The rows are in the order of their windows: of each series the last is noted.
        """
        version = self._db.execute("PRAGMA data_version").fetchone()[0]  # changes with a commit by others
        if (version, self._db.rolled_back) != self._seen:
            self._seen = version, self._db.rolled_back
            self.forget()
        try:
            missing: BoolArray = self._window[series] != window
        except IndexError:  # a new series; to look for one in each batch takes longer than all of this
            fresh = int(series.max()) + 1 - len(self._window)
            self._window = np.concatenate([self._window, np.full(fresh, _NONE)])
            missing = self._window[series] != window
        self._window[series] = window
        return missing
