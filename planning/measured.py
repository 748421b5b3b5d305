"""What was measured, as planning needs it: the engine over a part of the stored history, and its load curves. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from kpi_derivation.catalogue import DERIVATIONS
from kpi_derivation.engine.recent import History
from kpi_derivation.engine.runner import Engine
from kpi_derivation.engine.view import Part, View
from planning.grid import QUARTER, WEEK, Grid
from registry.city import City
from telemetry.errors import UsageError, nearest
from telemetry.partials import Partials
from telemetry.periods import Period, local_date, midnight, parse_period
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR

_LEAD = DAY  # hours before a period that its first values look back at


def parse_span(text: str, city: City) -> Period:
    """A calendar period, or from the first to the last of two: 2013-08..2013-12. Raises UsageError."""
    first, dots, last = text.partition("..")
    if not dots:
        return parse_period(first, city.zone)
    a, b = parse_period(first, city.zone), parse_period(last, city.zone)
    if b.end <= a.start:
        raise UsageError(f"'{text}' ends before it starts; write the earlier period first.")
    # Not a year, however long: what is 'per year' stays per period.
    return Period("quarter", text, a.start, b.end)


class Limited:
    """A history of which only [start, end) and only some devices are seen. `devices` None: all."""

    def __init__(self, history: History, start: int, end: int, devices: Collection[str] | None = None) -> None:
        self._history, self._start, self._end = history, start, end
        self._devices = None if devices is None else set(devices)

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """See History. Base windows are never needed: hours and quarters of an hour are stored beside them."""
        if level == "window":
            return
        start, end = max(start, self._start), min(end, self._end)
        if start < end:
            for part in self._history.partials(city, level, start, end, table, series):
                yield self._seen(part, table)

    def _seen(self, part: Partials, table: SeriesTable) -> Partials:
        if self._devices is None:
            return part
        mine = [s for s in np.unique(part.series).tolist() if table[s].device in self._devices]
        return part.take(np.isin(part.series, mine))


def engine_over(
    city: City, history: History, period: Period, table: SeriesTable | None = None, curves: bool = False
) -> Engine:
    """The engine with the period's days in it, from the stored hours; other times are not read.

    `curves`: `load_curves` follows.
    """
    start, end = period.start - _LEAD, period.end
    engine = Engine(city, table or SeriesTable(), Limited(history, start, end))
    engine.restore((period.start, end - HOUR), end, curves)
    return engine


def view_of(engine: Engine, period: Period, now: int) -> View:
    """What the derivations see of the period."""
    seen: list[View] = []

    def look(view: View) -> list[Part]:
        seen.append(view)
        return []

    engine.derive(period, now, [msgspec.structs.replace(next(iter(DERIVATIONS.values())), derive=look)])
    return seen[0]


class LoadCurves(NamedTuple):
    """Mean power of meters, kW; one row a meter in the order of `meters`, NaN where nothing was measured."""

    meters: tuple[str, ...]
    grid: Grid
    kw: FloatArray

    def of(self, meters: Sequence[str]) -> FloatArray:
        """The rows of these meters. Raises UsageError for one without a curve."""
        places = {name: i for i, name in enumerate(self.meters)}
        for name in meters:
            if name not in places:
                raise UsageError(f"Meter '{name}' has no load curve in this period; {nearest(name, self.meters)}")
        return self.kw[[places[name] for name in meters]]

    def total(self) -> FloatArray:
        """The load of all meters together, kW in each quarter; NaN where none was measured."""
        there = ~np.isnan(self.kw)
        return np.where(there.any(axis=0), np.where(there, self.kw, 0.0).sum(axis=0), np.nan)


def load_curves(engine: Engine, period: Period) -> LoadCurves:
    """The load curves of the city's meters, as the peak and coincidence KPIs use them. Raises UsageError for none."""
    meters, kw = engine.load_curves(period)
    zone = engine.city.zone
    kw = kw[:, (period.start - midnight(local_date(period.start, zone), zone)) // QUARTER :]  # they are of whole days
    if not meters or np.isnan(kw).all():
        raise UsageError(
            f"No electricity meter of '{engine.city.id}' has quarters of an hour in {period.label}. "
            "A plan needs the load as it was measured: choose a period with meter readings."
        )
    return LoadCurves(tuple(meters), Grid(period.start, QUARTER, kw.shape[1]), kw)


def aligned(start: int, other: int) -> int:
    """By how many ms times near `other` have to be moved to lie near `start`: whole weeks, the season kept.

    Weekdays and times of day (UTC) stay as they are.
    """
    return round((start - other) / WEEK) * WEEK


def season_shift(start: int, end: int, first: int, last: int) -> int:
    """The shift in whole weeks that brings sessions recorded in [first, last] into the time [start, end).

    Of the shifts by about whole years, the one after which most of the time is covered; the smallest of equal ones.
    """
    year = 365.2425 * DAY
    middle = round((start - first) / year)
    best = (-1.0, 0, 0)
    for years in range(middle - 2, middle + 3):
        shift = aligned(start, start - round(years * year))
        covered = min(end, last + shift) - max(start, first + shift)
        best = max(best, (covered, -abs(shift), shift))
    return best[2]


def cheap_moments(grid: Grid, city: City, hour: float) -> IntArray:
    """The times (UTC ms) at which the cheap tariff begins: `hour` of every civil day of the city."""
    from_day, days = grid.start // DAY - 1, int(grid.days) + 4
    first = np.datetime64(0, "D") + from_day
    found = [midnight(day, city.zone) + round(hour * HOUR) for day in (first + np.arange(days)).astype(object)]
    return np.array(found, dtype=np.int64)


_AMPS = re.compile(r"(?:(\d+)\s*[x*]\s*)?(\d+(?:\.\d+)?)\s*A", re.IGNORECASE)


def amps_of(text: str) -> tuple[float, int]:
    """Amperes and phases of '63A', '3x63 A' or '1x25A'; three phases where it names none. Raises UsageError."""
    found = _AMPS.fullmatch(text.strip())
    if not found or (phases := int(found[1] or 3)) not in (1, 3):
        raise UsageError(f"'{text}' is not a connection; write for example 63A, 3x63A or 1x25A.")
    return float(found[2]), phases
