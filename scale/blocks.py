"""Partials of one window start as bytes: all fields of a block of series, each 8 bytes a row. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from telemetry.partials import INT_FIELDS, Partials
from telemetry.series import IntArray

BLOCK = 512  # series that share one entry of the state
_NAMES = tuple(f.name for f in fields(Partials))


def pack(partials: Partials) -> bytes:
    """The rows, field by field, little-endian."""
    columns = [np.ascontiguousarray(getattr(partials, name)).astype("<i8" if name in INT_FIELDS else "<f8")
               for name in _NAMES]  # fmt: skip
    return b"".join(column.tobytes() for column in columns)


def unpack(packed: bytes) -> Partials:
    """The rows of `pack`."""
    whole = np.frombuffer(packed, dtype="<i8").reshape(len(_NAMES), -1)
    columns: list[Any] = [
        row if name in INT_FIELDS else row.view("<f8") for name, row in zip(_NAMES, whole, strict=True)
    ]
    return Partials(*columns)


def block_of(series: IntArray) -> IntArray:
    """The block of each series."""
    return series // BLOCK
