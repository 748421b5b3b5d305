"""Rows for dashboards of many cities: the newest value of a year of each figure, so that no board searches all years.

- `newest`: tags code and part; the city is a field, and each city has a time of its own (`slot`). All cities of a
  figure are one series, so that quartiles over hundreds of cities are read at once.
- `figure`: tags city, code and part, time 0: whether there is a value, and whether it is on target. For each city.

Of two values of a figure the later one counts. Where it loses its value, the figure has none until the next.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

from adapters.points import Point
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import YEARLY

Verdict = Callable[[KpiValue], int]


def slot(city: str) -> int:
    """The time in ms of a city's rows in `newest`; two of 1,000 cities share one with a probability of 1:8,000."""
    return zlib.crc32(city.encode())


class NewestRows:
    """The figures of one city. `verdict`: 2 on target, 1 off target, 0 where there is no target."""

    def __init__(self, city: str, known: Iterable[StoredKpi], verdict: Verdict) -> None:
        self._city, self._verdict = city, verdict
        self._newest: dict[tuple[str, str], KpiValue] = {}
        for value in known:
            self._note(value.kpi)

    def _note(self, k: KpiValue) -> bool:
        """Note a value; whether its figure has changed."""
        before = self._newest.get((k.code, k.part))
        if k.kind not in YEARLY or (before and k.time < before.time):
            return False
        if k.value is None and (before is None or before.identity != k.identity):
            return False
        self._newest[k.code, k.part] = k
        return True

    def all(self) -> Iterator[Point]:
        """The rows of every figure."""
        for k in self._newest.values():
            yield from self._rows(k)

    def changed(self, values: Iterable[StoredKpi]) -> Iterator[Point]:
        """The rows that these values change."""
        for key in {(v.kpi.code, v.kpi.part): None for v in values if self._note(v.kpi)}:
            yield from self._rows(self._newest[key])

    def _rows(self, k: KpiValue) -> Iterator[Point]:
        figure = {"code": k.code, "part": k.part}
        valued = int(k.value is not None)
        yield Point("newest", figure, {"city": self._city, "value": k.value, "valued": valued}, slot(self._city))
        yield Point("figure", {"city": self._city, **figure}, {"valued": valued, "verdict": self._verdict(k)}, 0)
