"""The KPI engine: windows become hours, hours days, days periods; only what is dirty is folded again.

    windows --absorb--> hours (the caller stores them) --evaluate--> days --> period sums --> derivations --> values

The engine computes from what the store holds (`History`), so a restart, a repetition or another order of arrival
gives the same bits. It does no I/O of its own and never asks for the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal, Protocol

import numpy as np

from kpi_derivation.catalogue import DERIVATIONS, Derivation
from kpi_derivation.engine.derived import QUARTER, demand, demand_source, levels, tells_quarters
from kpi_derivation.engine.folding import Days
from kpi_derivation.engine.recent import Recent
from kpi_derivation.engine.spans import runs
from kpi_derivation.engine.sums import Sums
from kpi_derivation.engine.values import kpi_value
from kpi_derivation.engine.view import View
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials, regroup
from telemetry.periods import CALENDAR, Period, calendar_period, hour_phase, local_date, midnight
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE, window_start


class History(Protocol):
    """What the engine reads back: the store's partials."""

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """Partials of a city with start in [start, end)."""


class Engine:
    """The KPIs of one city. `table` names the series; `history` holds its windows and hours."""

    def __init__(self, city: City, table: SeriesTable, history: History) -> None:
        self.city, self._table = city, table
        self._phase = hour_phase(city.zone)
        self._windows = Recent(history, city.id, "window", table, keep=2 * HOUR)
        self._hours = Recent(history, city.id, "hour", table, keep=2 * DAY)
        quantities = {q for d in DERIVATIONS.values() for q in d.quantities}
        self._days = Days(city, table, self._hours, quantities)
        self._index: dict[Any, Any] = {}  # what the views find out about the registry
        self._sources = {d.id: source for d in city.device if (source := demand_source(d))}
        self._clock = 0

    def restore(self, hours: tuple[int, int], newest_window: int) -> None:
        """Rebuild the days from the stored hours: first and last start of those, start of the newest window."""
        self._windows.start(newest_window)
        self._hours.start(hours[1])
        first, last = (local_date(t, self.city.zone).toordinal() for t in hours)
        self._days.restore(first, last)

    def absorb(self, windows: Partials) -> Partials:
        """Take stored windows; returns the hours they change, for the caller to store before `evaluate`."""
        if not len(windows):
            return windows
        self._windows.add(windows)
        hour = window_start(windows.start, HOUR, self._phase)
        pairs = _pairs(windows.series, hour)
        found = []
        for first, last in runs(np.unique(hour), HOUR):
            here = pairs[(pairs[:, 1] >= first) & (pairs[:, 1] <= last)]
            for part in self._windows.read(first, last + HOUR, np.unique(here[:, 0])):
                found.append(_only(part, window_start(part.start, HOUR, self._phase), here))
        base = Partials.concat(found).latest()
        both = Partials.concat([base, levels(base, self._table)])
        hours = regroup(both, window_start(both.start, HOUR, self._phase), self._table.modulus(both.series))
        hours = Partials.concat([hours, self._demand(hours)])
        self._windows.trim()
        self._hours.add(hours)
        self._days.touch(hours)
        return hours

    def _demand(self, hours: Partials) -> Partials:
        """Demand of the quarters of these hours and of the one after, which their last reading may begin."""
        names = {s: self._table[s] for s in np.unique(hours.series).tolist()} if self._sources else {}
        metered = [s for s, name in names.items() if self._sources.get(name.device) == name.quantity]
        intervals = [s for s in metered if names[s].quantity == "energy_delta"]
        keep = np.isin(hours.series, metered) & ~(np.isin(hours.series, intervals) & tells_quarters(hours.n))
        mine = hours.take(keep)
        made = []
        for first, last in runs(np.unique(mine.start), HOUR):
            series = np.unique(mine.series[(mine.start >= first) & (mine.start <= last)])
            end = last + HOUR + QUARTER
            windows = Partials.concat(list(self._windows.read(first - 2 * QUARTER, end, series))).latest()
            made.append(demand(windows, self._table, first))
        return Partials.concat(made)

    def evaluate(self, now: int) -> list[KpiValue]:
        """The values of every KPI and period that changed data, or the passing of time, touches. `now`: UTC ms."""
        changed = self._days.settle()
        self._hours.trim()
        days: dict[int, set[str]] = {}
        for row, day in sorted(changed):
            days.setdefault(day, set()).add(self._days.name(row)[1])
        periods = self._periods(days, now)
        values: list[KpiValue] = []
        for period, quantities in periods.items():
            touched = [d for d in DERIVATIONS.values() if _touches(d, quantities)]
            values += self.derive(period, now, touched)
        self._clock = now
        return values

    def new_sources(self, old: City) -> list[Series]:
        """Meters whose demand is made from another quantity than with the city file `old`, or only now: the series."""
        before = {d.id: demand_source(d) for d in old.device}
        return [Series(self.city.id, d, q) for d, q in self._sources.items() if before.get(d) != q]

    def again(self, since: Mapping[str, int], now: int) -> list[KpiValue]:
        """The values of these KPIs (code -> ms UTC) in every period with data from that time on; nothing is folded."""
        found: dict[Period, list[Derivation]] = {}
        for start in sorted(set(since.values())):
            mine = [DERIVATIONS[code] for code, first in since.items() if first == start]
            quantities = {quantity for d in mine for quantity in d.quantities}
            days = {day: quantities for day in self._days.with_data() if self._days.midnight(day + 1) > start}
            for period in self._periods(days, now):
                found.setdefault(period, []).extend(mine)
        return [value for period, mine in found.items() for value in self.derive(period, now, mine)]

    def touch_everything(self) -> None:
        """Mark every day with data dirty."""
        self._days.touch_everything()

    def derive(self, period: Period, now: int, derivations: list[Derivation] | None = None) -> list[KpiValue]:
        """The values of one period from what the engine knows, whether dirty or not."""
        sums, days = self._sums(period), self._days
        view = View(
            self.city,
            period,
            self._expected(period, now),
            sums,
            days.daily,
            days.rolling.hourly,
            days.demand.period,
            {},
            self._index,
        )
        chosen = DERIVATIONS.values() if derivations is None else derivations
        return [kpi_value(view, d, part, now) for d in chosen for part in d.derive(view)]

    def state_bytes(self) -> int:
        """Bytes of the arrays the engine holds: days, recent hours and windows."""
        return self._days.bytes() + self._hours.bytes() + self._windows.bytes()

    def _expected(self, period: Period, now: int) -> float:
        """Ms of the period that have passed, whole hours."""
        return float(max(min(period.end, window_start(now, HOUR, self._phase)) - period.start, 0))

    def _sums(self, period: Period) -> Sums:
        """The period's sums per (device, quantity) with data."""
        if period.kind == "24h":
            return self._days.rolling.sums(period.start, period.end)
        first = local_date(period.start, self.city.zone).toordinal()
        last = local_date(period.end - 1, self.city.zone).toordinal()
        return self._days.sums(first, last)

    def _periods(self, days: dict[int, set[str]], now: int) -> dict[Period, set[str] | None]:
        """Periods to evaluate and the quantities that changed in them; None stands for all."""
        zone, found = self.city.zone, dict[Period, set[str] | None]()
        for day, quantities in sorted(days.items()):
            for kind in CALENDAR:
                period = calendar_period(kind, date.fromordinal(day), zone)
                found[period] = (found.get(period) or set()) | quantities
        for period, quantities in self._years_after(days):
            found[period] = (found.get(period) or set()) | quantities
        changed = set().union(*days.values()) if days else set()
        for period in self.rolling(now):
            if any(midnight(date.fromordinal(d + 1), zone) > period.start for d in days):
                found[period] = changed
        if window_start(now, HOUR, self._phase) != window_start(self._clock, HOUR, self._phase) and self._days.series:
            found.update(dict.fromkeys(self._passing(now)))
        return found

    def _years_after(self, days: dict[int, set[str]]) -> Iterator[tuple[Period, set[str]]]:
        """Years with data whose values look back at these days."""
        for derivation in DERIVATIONS.values():
            reach, fed = derivation.follows_years, set(derivation.quantities)
            years = {date.fromordinal(d).year for d, quantities in days.items() if reach and quantities & fed}
            for year in sorted({y + i for y in years for i in range(1, reach + 1)}):
                period = calendar_period("year", date(year, 1, 1), self.city.zone)
                first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
                if any(self._days.has(quantity, first, last) for quantity in fed):
                    yield period, fed

    def _passing(self, now: int) -> list[Period]:
        """Periods whose coverage or status changes as time passes: the open ones and those about to become final."""
        settle = round(self.city.rules.final_after_h * HOUR)
        today = local_date(now, self.city.zone).toordinal()
        if not self._days.grid.shape[1] or today - (self._days.grid.origin + self._days.grid.shape[1]) > 400:
            return []  # only old data: nothing of it is open
        moments = [now, now - DAY, now - settle - HOUR]
        if (
            now - self._clock > 2 * HOUR
        ):  # a start, or a long pause: any day since may not have been looked at when it ended
            moments = list(range(now, now - settle - 2 * DAY, -DAY))
        days = [local_date(t, self.city.zone) for t in moments]
        return [calendar_period(k, d, self.city.zone) for d in days for k in CALENDAR] + self.rolling(now)

    def rolling(self, now: int) -> list[Period]:
        """The rolling 24 hours (up to the end of the running hour) and 365 days (up to the end of today)."""
        zone = self.city.zone
        end = window_start(now, HOUR, self._phase) + HOUR
        today = local_date(now, zone)
        year = midnight(date.fromordinal(today.toordinal() - 364), zone)
        tomorrow = midnight(date.fromordinal(today.toordinal() + 1), zone)
        return [Period("24h", "24h", end - DAY, end), Period("365d", "365d", year, tomorrow)]


def _touches(derivation: Derivation, quantities: set[str] | None) -> bool:
    """Whether a change of these quantities (None: of all) may change the KPI; registry KPIs come with any change."""
    return quantities is None or not derivation.quantities or bool(quantities & set(derivation.quantities))


def _pairs(series: IntArray, hour: IntArray) -> IntArray:
    """The different (series, hour), sorted."""
    number = hour // MINUTE
    code = np.unique(series * (1 << 32) + number)
    return np.stack((code >> 32, (code & 0xFFFFFFFF) * MINUTE), axis=1)


def _only(part: Partials, hour: IntArray, pairs: IntArray) -> Partials:
    """The rows of `part` whose (series, hour) is one of `pairs` (sorted, unique)."""
    size = int(max(part.series.max(initial=0), pairs[:, 0].max(initial=0))) + 1
    wanted = np.sort(pairs[:, 1] * size + pairs[:, 0])
    mine = hour * size + part.series
    place = np.minimum(np.searchsorted(wanted, mine), len(wanted) - 1)
    return part.take(wanted[place] == mine)
