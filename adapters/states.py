"""Checkpoints of the KPI engine in the store: what it kept of the days, and which hours were stored since.

A store numbers its writes of hours. A checkpoint holds the number of the last one that is in it, so that a start reads
the checkpoint and folds again the days that were written later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np

from telemetry.partials import Partials
from telemetry.series import SeriesTable
from telemetry.windows import DAY


def days_of(hours: Partials, table: SeriesTable) -> Iterator[tuple[str, list[int]]]:
    """Each city of these hours, and the starts (ms UTC) of their UTC days, sorted."""
    days = hours.start // DAY * DAY
    for city, mine in table.by_city(hours.series):
        yield city, np.unique(days[mine]).tolist()


class States(Protocol):
    """One checkpoint for each city."""

    def number(self, city: str) -> int:
        """The number of the last write of hours of the city, larger than those before; 0 where there was none."""

    def days_after(self, city: str, number: int) -> list[int]:
        """Starts (ms UTC) of the UTC days of which hours were written with a later number, sorted."""

    def head(self, city: str) -> bytes | None:
        """What was stored as the head of the city's checkpoint; None where there is none."""

    def parts(self, city: str) -> dict[str, bytes]:
        """All parts of the city's checkpoint by name."""

    def put(self, city: str, parts: Iterable[tuple[str, bytes | None]], head: Callable[[], bytes]) -> bool:
        """Replace the city's checkpoint, all or nothing: a part of None stays as it is, one that is not named goes.

        `head` is called after the last part. False where this store cannot hold it.
        """

    def drop(self, city: str) -> None:
        """Remove the city's checkpoint."""
