"""How often long periods are derived of which nothing but gauges has changed. Pure.

A round of ingest derives a day, a month, a quarter, a year and two rolling periods, each for the same processor time.
One more reading changes the mean of a day by a thousandth, that of a month by a hundred-thousandth. Energy and events
are what somebody waits for: their periods do not wait.
"""

from __future__ import annotations

from collections.abc import Mapping

from telemetry.periods import CALENDAR, Period
from telemetry.quantities import QUANTITIES
from telemetry.windows import MINUTE, is_due

Changed = dict[Period, set[str] | None]  # quantities that changed in each period; None stands for all

GAUGES = frozenset(name for name, q in QUANTITIES.items() if q.kind == "gauge" and not q.event)


class Pace:
    """Open periods longer than a day are derived of gauges at most once a minute; the first change does not wait.

    What waits when the program ends needs no note: a start derives every open period.
    """

    def __init__(self) -> None:
        self._next: dict[Period, int] = {}  # ms UTC, from when on each may be derived
        self._waiting: Changed = {}

    def due(self, changed: Mapping[Period, set[str] | None], now: int, rest: bool) -> Changed:
        """The periods to derive now (ms UTC), with those that have waited. Without `rest` none waits."""
        together = joined(self._waiting, changed)
        self._waiting = {p: q for p, q in together.items() if rest and self._rests(p, q, now)}
        found = {period: q for period, q in together.items() if period not in self._waiting}
        self._next = {p: t for p, t in self._next.items() if not is_due(t, now, MINUTE)}
        self._next |= dict.fromkeys((p for p in found if _is_long(p, now)), now + MINUTE)
        return found

    def _rests(self, period: Period, quantities: set[str] | None, now: int) -> bool:
        only_gauges = quantities is not None and quantities <= GAUGES
        return only_gauges and _is_long(period, now) and not is_due(self._next.get(period, 0), now, MINUTE)


def joined(waiting: Mapping[Period, set[str] | None], changed: Mapping[Period, set[str] | None]) -> Changed:
    """Both, of a period that is in both all of its quantities."""
    found = dict(waiting)
    for period, quantities in changed.items():
        before = found.get(period, set())
        found[period] = None if before is None or quantities is None else before | quantities
    return found


def _is_long(period: Period, now: int) -> bool:
    return period.kind != "day" and (period.end > now or period.kind not in CALENDAR)
