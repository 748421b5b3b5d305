"""Readings as columns: one row a reading, one array a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from telemetry.series import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings, one row each; arrays of equal length.

    `series`: id in a SeriesTable. `t`: ms since 1970 UTC. `value`: in the catalogue unit. `key`: 0, or a number that
    distinguishes events of one series at one time (charging sessions). `arrival`: ms, when the first trusted clock
    after the device received it. `flag`: 0 accepted, else a code of quality control.
    """

    series: IntArray
    t: IntArray
    value: FloatArray
    key: IntArray
    arrival: IntArray
    flag: IntArray

    def __len__(self) -> int:
        return len(self.t)

    @staticmethod
    def of(
        series: Sequence[int] | IntArray,
        t: Sequence[int] | IntArray,
        value: Sequence[float] | FloatArray,
        key: Sequence[int] | IntArray | None = None,
        arrival: Sequence[int] | IntArray | None = None,
        flag: Sequence[int] | IntArray | None = None,
    ) -> Readings:
        """Build from sequences; by default key 0, arrival = t, flag 0."""
        times = np.asarray(t, dtype=np.int64)
        zeros = np.zeros(len(times), dtype=np.int64)
        return Readings(
            np.asarray(series, dtype=np.int64),
            times,
            np.asarray(value, dtype=np.float64),
            zeros if key is None else np.asarray(key, dtype=np.int64),
            times if arrival is None else np.asarray(arrival, dtype=np.int64),
            zeros if flag is None else np.asarray(flag, dtype=np.int64),
        )

    def take(self, rows: IntArray | slice) -> Readings:
        """The given rows, in the given order."""
        return Readings(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def concat(parts: Sequence[Readings]) -> Readings:
        """All rows of all parts, in order."""
        if not parts:
            return Readings.of([], [], [])
        return Readings(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Readings)))
