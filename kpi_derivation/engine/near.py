"""Columns in few bytes: whole numbers in the narrowest type, and numbers by how far each is from an expected one. Pure.

Two floats that are equal but for rounding differ by a small whole number when their bits are read as whole numbers. So
a column is stored as these differences from what is calculated of other columns, and comes back bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.series import FloatArray, IntArray

Ints = np.ndarray[tuple[int], np.dtype[Any]]
_WHOLE = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32)
_APART = 12  # bytes of a row that is stored apart


def whole(values: IntArray) -> Ints:
    """The same numbers in the narrowest type that holds them all; one number where all are equal."""
    low, high = int(values.min(initial=1 << 62)), int(values.max(initial=-(1 << 62)))
    if low == high:
        return np.broadcast_to(np.int64(low), values.shape)
    for kind in _WHOLE:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def size(values: Ints) -> int:
    """Bytes of numbers that `whole` gave."""
    return values.nbytes if values.strides[0] else values.itemsize


class Near:
    """A column of numbers that are near expected ones; the rows in which they are not stand apart."""

    def __init__(self, values: FloatArray, expected: FloatArray) -> None:
        difference = values.view(np.int64) - expected.view(np.int64)
        self._rows: Ints = np.empty(0, dtype=np.int64)
        self._values: FloatArray = np.empty(0)
        self._difference = whole(difference)
        if self.bytes <= 2 * len(values):
            return
        # Bits of numbers that are far away differ by more than any narrow type holds.
        for kind in (np.int8, np.int16, np.int32):
            far = (difference < np.iinfo(kind).min) | (difference > np.iinfo(kind).max)
            if len(values) * np.dtype(kind).itemsize + _APART * int(far.sum()) < self.bytes:
                rows = np.flatnonzero(far)
                self._rows, self._values = whole(rows), values[rows]
                self._difference = whole(np.where(far, 0, difference))

    @property
    def bytes(self) -> int:
        """Bytes of the differences and of the rows apart."""
        return size(self._difference) + (size(self._rows) + self._values.nbytes if len(self._rows) else 0)

    def take(self, rows: IntArray, expected: FloatArray) -> FloatArray:
        """The given rows. `expected`: of these."""
        out = expected
        if self._difference.strides[0] or (len(rows) and int(self._difference[0])):
            out = (expected.view(np.int64) + self._difference[rows]).view(np.float64)
        if len(self._rows):
            at = np.minimum(np.searchsorted(self._rows, rows), len(self._rows) - 1)
            out = np.where(self._rows[at] == rows, self._values[at], out)
        return out


class NearTime:
    """A column of whole numbers of which most are near one another, as times since the start of a window are."""

    def __init__(self, values: IntArray) -> None:
        middle = np.partition(values, len(values) // 2)[len(values) // 2] if len(values) else 0
        self._middle = np.int64(middle)
        self._near = Near(values.view(np.float64), self._expected(len(values)))

    @property
    def bytes(self) -> int:
        """Bytes of the column."""
        return self._near.bytes + self._middle.nbytes

    def take(self, rows: IntArray) -> IntArray:
        """The given rows."""
        return self._near.take(rows, self._expected(len(rows))).view(np.int64)

    def _expected(self, count: int) -> FloatArray:
        return np.full(count, self._middle).view(np.float64)
