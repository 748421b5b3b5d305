"""The cities that a worker has in memory, as many as a limit of series allows. Pure.

What a city's job holds beside the state grows with its series, not with the number of cities; the job that was left out
is made from its state again when its next record comes.
"""

from __future__ import annotations

from collections.abc import Callable

from scale.job import CityJob, Output


class Kept:
    """Jobs by key, those that were used last. `limit`: series of all of them; the job in use stays, however large."""

    def __init__(self, limit: int, made: Callable[[str], CityJob]) -> None:
        self._limit, self._made = limit, made
        self._jobs: dict[str, CityJob] = {}
        self._series: dict[str, int] = {}
        self.held = 0  # series

    def take(self, key: str, record: bytes) -> Output:
        """What a record gives the job of this key."""
        job = self._jobs.pop(key, None) or self._made(key)
        self._jobs[key] = job  # the newest at the end
        output = job.take(record)
        self._count(key, job.series)
        while self.held > self._limit and len(self._jobs) > 1:
            oldest = next(iter(self._jobs))
            del self._jobs[oldest]
            self._count(oldest, 0)
        return output

    def _count(self, key: str, series: int) -> None:
        self.held += series - self._series.pop(key, 0)
        if series:
            self._series[key] = series
