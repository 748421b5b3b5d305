"""Spans of hours, runs of numbers that follow each other, and of equal ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from telemetry.partials import Partials
from telemetry.series import IntArray


class Span(NamedTuple):
    """Hours of some days, the first beginning at `start`, and the hours just before it."""

    start: int
    hours: Partials


class Placed(NamedTuple):
    """Hours, and the grid row and column of each."""

    hours: Partials
    row: IntArray
    column: IntArray


def runs(values: IntArray, stride: int, longest: int = 1 << 40) -> Iterator[tuple[int, int]]:
    """First and last of each run of sorted values that follow each other by `stride`, at most `longest` values."""
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] - values[i - 1] != stride or i - start >= longest:
            yield int(values[start]), int(values[i - 1])
            start = i


def heads_of(row: IntArray, column: IntArray) -> tuple[IntArray, IntArray]:
    """First element of each run of equal (row, column), and the run's number for every element."""
    new = np.concatenate(([True], (row[1:] != row[:-1]) | (column[1:] != column[:-1])))
    return np.flatnonzero(new), np.cumsum(new) - 1
