"""Columns of a grid of days as bytes, in blocks of some days, so that what has not changed is not written again. Pure.

A block whose values are all the same takes eight bytes; one that compresses well is compressed; another is as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from telemetry.series import FloatArray

DAYS = 64  # of a block, counted from ordinal 0
_SAMPLE = 1 << 16  # bytes that are compressed to see whether the rest is worth it
_WORTH = 0.5
_ONE, _PACKED, _PLAIN = b"1", b"z", b"p"
_TYPE = "<f8"


def pack(values: FloatArray) -> bytes:
    """The values as bytes."""
    plain = np.ascontiguousarray(values, dtype=_TYPE).view(np.uint64).ravel()
    if len(plain) and (plain == plain[0]).all():
        return _ONE + plain[:1].tobytes()
    data = plain.tobytes()
    if len(zlib.compress(data[:_SAMPLE], 1)) < _WORTH * len(data[:_SAMPLE]):
        return _PACKED + zlib.compress(data, 1)
    return _PLAIN + data


def unpack(data: bytes, shape: tuple[int, int]) -> FloatArray:
    """The values of a block of this shape. Raises ValueError for other bytes."""
    kind, rest = data[:1], memoryview(data)[1:]
    if kind == _ONE and len(rest) == 8:
        return np.broadcast_to(np.frombuffer(rest, dtype=_TYPE), shape)
    try:
        plain = zlib.decompress(rest) if kind == _PACKED else rest
    except zlib.error as error:
        raise ValueError(f"a block of days cannot be read: {error}") from error
    if kind not in (_PACKED, _PLAIN) or len(plain) != 8 * shape[0] * shape[1]:
        raise ValueError("a block of days has another size than its grid")
    return np.frombuffer(plain, dtype=_TYPE).reshape(shape)


def blocks(origin: int, days: int) -> Iterator[tuple[int, slice]]:
    """The number of each block of `days` days from the ordinal `origin` on, and its columns in the grid."""
    for number in range(origin // DAYS, -(-(origin + days) // DAYS)):
        yield number, slice(max(number * DAYS - origin, 0), min((number + 1) * DAYS - origin, days))
