"""A buffer with readings written as tuples, and its content as plain Python values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adapters.sqlite.buffer import Buffer, Dirty
from telemetry.readings import Readings
from telemetry.series import Series

MIN = 60_000
NOON = 1_709_294_400_000  # 2024-03-01T12:00:00Z
A, B, C = Series("aba", "s1", "no2"), Series("aba", "s2", "no2"), Series("bel", "s1", "no2")
Row = tuple[Any, ...]  # series, t, value and, where they matter, key, arrival, flag


def opened(folder: Path, width: int | None = MIN) -> Buffer:
    return Buffer(folder / "gateway.db", width)


def put(buffer: Buffer, *rows: Row) -> int:
    """Store rows in one batch; how many were new or changed."""
    padded = [(*row, *(0, row[1], 0)[len(row) - 3 :]) for row in rows]
    columns = [[row[i] for row in padded] for i in range(6)]
    return buffer.put(Readings.of([buffer.table.id_of(s) for s in columns[0]], *columns[1:]))


def put_arrived(buffer: Buffer, *rows: Row, plain: Sequence[Row] = ()) -> int:
    """Store readings (series, t, value, key) of which `rows` are dated by their arrival, in one batch."""
    every = [*plain, *rows]
    series, t, value, key = ([row[i] for row in every] for i in range(4))
    arrived = np.arange(len(every)) >= len(plain)
    return buffer.put(Readings.of([buffer.table.id_of(s) for s in series], t, value, key), None, arrived)


def generations(buffer: Buffer, dirty: Dirty) -> dict[tuple[Series, int], int]:
    """(series, window) -> generation."""
    columns = zip(dirty.series.tolist(), dirty.window.tolist(), dirty.generation.tolist(), strict=True)
    return {(buffer.table[s], window): generation for s, window, generation in columns}


def outbox(buffer: Buffer, limit: int = 1000, **options: Any) -> dict[tuple[Series, int], int]:
    """(series, window) -> generation of the windows to send, in their order."""
    return generations(buffer, buffer.dirty(limit, **options)[0])


def to_send(buffer: Buffer, limit: int = 1000, **options: Any) -> list[Row]:
    """The readings of the windows to send, sorted."""
    found = buffer.dirty(limit, **options)[1]
    columns = zip(
        *(c.tolist() for c in (found.series, found.t, found.value, found.key, found.arrival, found.flag)), strict=True
    )
    return sorted((buffer.table[s], *rest) for s, *rest in columns)


def selected(buffer: Buffer, **options: Any) -> Dirty:
    """The windows to send, as the gateway passes them on."""
    return buffer.dirty(1000, **options)[0]
