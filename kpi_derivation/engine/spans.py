"""Runs of numbers that follow each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.series import IntArray


def runs(values: IntArray, stride: int, longest: int = 1 << 40) -> Iterator[tuple[int, int]]:
    """First and last of each run of sorted values that follow each other by `stride`, at most `longest` values."""
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] - values[i - 1] != stride or i - start >= longest:
            yield int(values[start]), int(values[i - 1])
            start = i
