"""Columns of a grid of days as bytes, in blocks of some days, so that what has not changed is not written again. Pure.

A block whose values are all the same takes eight bytes; of one in which that is so of most rows, as of series without
data, the other rows stand for themselves; one that compresses well is compressed; another is as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from telemetry.series import FloatArray, IntArray

DAYS = 64  # of a block, counted from ordinal 0
_SAMPLE = 1 << 16  # bytes that are compressed to see whether the rest is worth it
_WORTH = 0.5
_FEW = 0.5  # of the rows
_ONE, _ROWS, _PACKED, _PLAIN = b"1", b"r", b"z", b"p"
_TYPE = "<f8"
_NUMBER = "<i4"

Bits = np.ndarray[Any, np.dtype[np.uint64]]


def pack(values: FloatArray) -> bytes:
    """The values as bytes; rows by days."""
    plain = np.ascontiguousarray(values, dtype=_TYPE).view(np.uint64)
    if plain.size:
        usual = _usual(plain)
        rows = np.flatnonzero((plain != usual).any(axis=1))
        if not len(rows):
            return _ONE + usual.tobytes()
        if len(rows) < _FEW * len(plain):
            return _ROWS + usual.tobytes() + _squeezed(rows.astype(_NUMBER).tobytes() + plain[rows].tobytes())
    return _squeezed(plain.tobytes())


def _usual(plain: Bits) -> Bits:
    """The value that is most frequent among some."""
    values, counts = np.unique(plain[:: max(len(plain) // 100, 1)].ravel(), return_counts=True)
    return np.asarray(values[counts.argmax()])


def _squeezed(data: bytes) -> bytes:
    """The bytes, compressed where that is worth it."""
    if len(zlib.compress(data[:_SAMPLE], 1)) < _WORTH * len(data[:_SAMPLE]):
        return _PACKED + zlib.compress(data, 1)
    return _PLAIN + data


def _plain(data: memoryview) -> bytes | memoryview:
    """What was squeezed. Raises ValueError for other bytes."""
    if data[:1] not in (_PACKED, _PLAIN):
        raise ValueError("a block of days is of an unknown kind")
    try:
        return zlib.decompress(data[1:]) if data[:1] == _PACKED else data[1:]
    except zlib.error as error:
        raise ValueError(f"a block of days cannot be read: {error}") from error


def unpack_into(made: FloatArray, data: bytes, there: float | None = None) -> None:
    """Write a block to where it belongs. `there`: what stands there, everywhere; None: anything.

    Raises ValueError for bytes that are not of a block of this shape.
    """
    kind, rest = data[:1], memoryview(data)[1:]
    if kind not in (_ONE, _ROWS):
        plain = _plain(memoryview(data))
        if len(plain) != 8 * made.shape[0] * made.shape[1]:
            raise ValueError("a block of days has another size than its grid")
        made[:] = np.frombuffer(plain, dtype=_TYPE).reshape(made.shape)
        return
    usual = np.frombuffer(rest[:8], dtype=_TYPE)
    if there is None or usual.tobytes() != np.array(there, dtype=_TYPE).tobytes():
        made[:] = usual
    if kind == _ROWS:
        rows, values = _rows(_plain(rest[8:]), made.shape)
        made[rows] = values
    elif len(rest) != 8:
        raise ValueError("a block of days has more than its value")


def _rows(plain: bytes | memoryview, shape: tuple[int, ...]) -> tuple[IntArray, FloatArray]:
    """The rows that stand for themselves, and their values."""
    number = np.dtype(_NUMBER).itemsize
    count, rest = divmod(len(plain), number + 8 * shape[1])
    rows = np.frombuffer(plain, dtype=_NUMBER, count=count).astype(np.int64)
    if rest or not count or int(rows.min()) < 0 or int(rows.max()) >= shape[0]:
        raise ValueError("a block of days has other rows than its grid")
    return rows, np.frombuffer(plain[count * number :], dtype=_TYPE).reshape(count, shape[1])


def is_sparse(data: bytes) -> bool:
    """Whether most rows of a block have one value."""
    return data[:1] in (_ONE, _ROWS)


def blocks(origin: int, days: int) -> Iterator[tuple[int, slice]]:
    """The number of each block of `days` days from the ordinal `origin` on, and its columns in the grid."""
    for number in range(origin // DAYS, -(-(origin + days) // DAYS)):
        yield number, slice(max(number * DAYS - origin, 0), min((number + 1) * DAYS - origin, days))
