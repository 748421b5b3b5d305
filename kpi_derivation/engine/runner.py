"""The KPI engine: windows become hours, hours days, days periods; only what is dirty is folded again.

    windows --absorb--> hours (the caller stores them) --evaluate--> days --> period sums --> derivations --> values

The engine computes from what the store holds (`History`), so a restart, a repetition or another order of arrival
gives the same bits. It does no I/O of its own and does not read the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from kpi_derivation.catalogue import DERIVATIONS, Derivation
from kpi_derivation.engine.asked import asked
from kpi_derivation.engine.days.city_days import CityDays
from kpi_derivation.engine.days.neighbours import DRIFTS
from kpi_derivation.engine.days.neighbours import QUANTITIES as NEIGHBOURED
from kpi_derivation.engine.due import Due
from kpi_derivation.engine.hour_maker import HourMaker
from kpi_derivation.engine.pace import Pace, joined
from kpi_derivation.engine.reads import Reads, tracked
from kpi_derivation.engine.recent import History, Recent
from kpi_derivation.engine.record import Record
from kpi_derivation.engine.row_days import RowDays
from kpi_derivation.engine.state import Facts, State
from kpi_derivation.engine.sums import Sums
from kpi_derivation.engine.values import kpi_value
from kpi_derivation.engine.view import View
from kpi_derivation.rules.air.stations import KINDS as STATIONS
from kpi_derivation.rules.outages import QUANTITIES as OUTAGE_QUANTITIES
from kpi_derivation.rules.outages import log_span
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials
from telemetry.periods import Period, PeriodKind, calendar_period, hour_phase, local_date
from telemetry.series import FloatArray, IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR, window_start

OUTAGES = frozenset(OUTAGE_QUANTITIES)
_WINDOWS = 2 * HOUR
_HOURS = 2 * DAY + 2 * HOUR  # the rolling day, the one before it, the open hour and the last one
OLD = 3 * DAY  # ms since the end of a period, from which on it may wait
_LOGGED: tuple[PeriodKind, ...] = ("year", "quarter", "month")


class Engine:
    """The KPIs of one city. `table` names the series; `history` holds its windows and hours.

    `reads`: what each derivation (by code) is known to have read in this city. `only`: what will be read of the data,
    where that is known; days of other quantities, and the peaks of all meters together, are not made without need.
    """

    def __init__(
        self,
        city: City,
        table: SeriesTable,
        history: History,
        reads: Mapping[str, Iterable[Iterable[str]]] | None = None,
        only: Reads | None = None,
    ) -> None:
        self.city, self._table = city, table
        table.set_rollovers(city.id, city.rollovers)
        devices = city.by_id
        table.share_texts(city.id, lambda name: entry.id if (entry := devices.get(name)) else name)
        self._index: dict[Any, Any] = {}  # cached by views: facts of the registry
        self.record = Record(lambda: DERIVATIONS, self._asked, reads or {})
        mine = tracked(city, self.record.everywhere)
        self._windows = Recent(history, city.id, "window", table, keep=_WINDOWS)
        self._hours = Recent(history, city.id, "hour", table, keep=_HOURS)
        self._phase = hour_phase(mine.zone)
        self._maker = HourMaker(mine, table, self._windows)
        every = (q for code in DERIVATIONS for q in self.record.quantities(code))
        self._quantities = set(every) if only is None else only.quantities
        self._version = self.record.version
        self._days = CityDays(mine, table, self._hours, self._quantities, only is None or only.has_demand)
        self._due = Due(city, self._days.has)
        self._stored: tuple[int, int] | None = None  # first and last start of the hours that are stored
        self._unreported = RowDays()  # folded since the last `evaluate`
        self._no_recent = 0 if only is None else 3 * DAY  # recent hours are read twice only where others follow
        self._clock = 0
        self._needed = self._now = 1 << 53  # ms UTC: from when on hours stay in memory; the last `evaluate`
        self._waiting: dict[Period, set[str] | None] = {}  # old periods that are to be derived
        self._pace = Pace()
        self.old = 0  # of those, how many the last `evaluate` has derived

    def begin(self) -> Engine:
        """Start with a store that has nothing of the city, and will hold all that is absorbed."""
        self._windows.begin()
        return self

    def restore(self, hours: tuple[int, int], newest_window: int, curves: bool = False) -> None:
        """Rebuild the days from the stored hours: first and last start of those, start of the newest window.

        `curves`: keep the quarters of all days until `load_curves` takes them, so that they are laid out once.
        """
        self._windows.start(newest_window)
        self._hours.start(hours[1] + self._no_recent)
        self._stored = hours
        first, last = self._ordinals(*hours)
        self._days.restore(first, last, curves)

    def state(self) -> State | None:
        """The days as plain values, to be stored and given to `resume`; None where there are none, or any is dirty."""
        if self._stored is None or len(self._unreported) or self._days.is_dirty:
            return None
        return self._days.state(self._stored)

    def resume(
        self,
        facts: Facts,
        data: Mapping[str, bytes],
        hours: tuple[int, int],
        newest_window: int,
        changed: Iterable[int],
    ) -> None:
        """Continue from the state of another engine of this city and program, instead of `restore`.

        `changed`: starts of the UTC days (ms) of which hours were stored since. Raises Damaged: then this engine is of
        no use.
        """
        self._windows.start(newest_window)
        self._hours.start(hours[1])
        self._stored = hours
        days = {day for start in changed for day in self._ordinals(start, start + DAY - 1)}
        self._days.resume(facts, data, days)

    @property
    def quantities(self) -> list[str]:
        """The quantities of which days are kept; a state fits where they are the same."""
        return sorted(self._quantities)

    def absorb(self, windows: Partials) -> Partials:
        """Read stored windows; returns the hours they change, for the caller to store before `evaluate`."""
        if not len(windows):
            return windows
        self._windows.add(windows)
        hours = self._maker.hours_of(windows)
        self._windows.trim(self._now - _WINDOWS)  # one clock that is ahead must not remove those of all others
        if len(hours):  # else the store cannot hold these windows: they are older than its retention
            self.take_hours(hours)
        return hours

    def stored_windows(self, start: int, end: int, series: IntArray | None) -> Iterator[Partials]:
        """The stored windows of a time, of these series, to be absorbed one after the other."""
        return self._windows.stored(start, end, series)

    def take_hours(self, hours: Partials) -> None:
        """Read hours that others have made of windows, demand and levels among them; the caller stores them."""
        self._hours.add(hours)
        self._days.touch(hours)
        first, last = self._stored or (1 << 60, -(1 << 60))
        self._stored = min(first, int(hours.start.min())), max(last, int(hours.start.max()))

    def hours_at(self, start: int, series: IntArray) -> Partials:
        """The rows of these series of a recent hour (its start, ms UTC), as `absorb` returned them last."""
        return Partials.concat(list(self._hours.read(start, start + 1, series))).latest()

    def needs_hours_from(self, start: int) -> None:
        """Hours from this time on (ms UTC) stay in memory: not all that changed of them are stored yet."""
        self._needed = start

    @property
    def waiting(self) -> int:
        """How many old periods have changed and are not derived yet."""
        return len(self._waiting)

    def evaluate(self, now: int, most: int | None = None) -> list[KpiValue]:
        """The values of every KPI and period that changed data, or the passing of time, changes. `now`: UTC ms.

        `most`: of periods that were over OLD ago, derive this many, the newest first; others wait for the next call,
        and long periods of gauges for their minute (pace.py). None: nothing waits.
        """
        changed = self._days.settle() | self._unreported
        self._unreported = RowDays()
        self._hours.trim(self._needed)
        days = self._days.quantities_of(changed)
        for day, of_events in self._days.lives.grown(changed.rows).items():
            if self._days.has_data(day):
                days.setdefault(day, set()).update(of_events)
        for day, measured in days.items():
            measured.update(self._days.lives.covering(day))
        values: list[KpiValue] = []
        periods = self._periods(days, now, list(DERIVATIONS))
        for period in self._logged_periods(days, now):
            periods.setdefault(period, set(OUTAGES))
        periods = self._pace.due(periods, now, rest=most is not None)
        for period, quantities in self._chosen(periods, now, most):
            values += self.derive(period, now, [d for d in DERIVATIONS.values() if self._touches(d, quantities)])
        self._clock = self._now = now
        return values

    def _chosen(
        self, periods: dict[Period, set[str] | None], now: int, most: int | None
    ) -> list[tuple[Period, set[str] | None]]:
        """The periods to derive now: all that are recent, and `most` of the old ones."""
        periods = joined(periods, self._waiting)
        old = [period for period in periods if period.end < now - OLD] if most is not None or self._waiting else []
        old.sort(key=lambda period: (period.end, period), reverse=True)
        self._waiting = {period: periods.pop(period) for period in old[most:]} if most is not None else {}
        self.old = len(old) - len(self._waiting)
        return list(periods.items())

    def made_otherwise(self, old: City) -> list[Series]:
        """Series whose hours differ from those made with the city file `old`, so that they are to be recalculated."""
        before, now = old.rollovers, self.city.rollovers
        rolling = [s for s in sorted({*before, *now}) if before.get(s) != now.get(s)]
        return [*self._maker.new_sources(old), *rolling]

    def again(self, since: Mapping[str, int], now: int) -> list[KpiValue]:
        """The values of these KPIs (code -> ms UTC) in every period with data from that time on; nothing is folded."""
        found: dict[Period, list[Derivation]] = {}
        for start in sorted(set(since.values())):
            mine = [code for code, first in since.items() if first == start]
            quantities = {quantity for code in mine for quantity in self.record.quantities(code)}
            days = {day: quantities for day in self._days.with_data() if self._days.civil.midnight(day + 1) > start}
            for period in self._periods(days, now, mine):
                found.setdefault(period, []).extend(DERIVATIONS[code] for code in mine)
        return [value for period, mine in found.items() for value in self.derive(period, now, mine)]

    def touch_everything(self) -> None:
        """Make the next `evaluate` recalculate every period, also those that only time has changed since."""
        self._days.touch_everything()
        self._clock = 0

    def derive(self, period: Period, now: int, derivations: Sequence[Derivation] | None = None) -> list[KpiValue]:
        """The values of one period from the days as they are, dirty or not."""
        view = self._view(period, now)
        values: list[KpiValue] = []
        for derivation in DERIVATIONS.values() if derivations is None else derivations:
            found, reads = _run(derivation, view, now)
            self.record.note(derivation.kpi.code, reads)
            if self.record.version != self._version and (missing := self._not_kept()):
                self._keep(missing)
                view = self._view(period, now)
                found, _ = _run(derivation, view, now)
            values += found
        return values

    def rolling(self, now: int) -> list[Period]:
        """The rolling 24 hours, up to the last full hour, and 365 days, up to the last midnight."""
        return self._due.rolling(now)

    def suspects(self, now: int, days: int = 30) -> dict[str, int]:
        """Stations with flagged days among the last `days` that have data, and how many (of their worst quantity)."""
        last = min(local_date(now, self.city.zone).toordinal(), max(self._days.with_data(), default=0))
        found: dict[str, int] = {}
        for quantity in NEIGHBOURED:
            names = [d.id for d in self.city.device if d.kind in STATIONS and quantity in d.quantities]
            if not names or quantity not in self._quantities:
                continue
            flags = self._days.daily(names, quantity, last - days + 1, last)["suspect"]
            for name, count in zip(names, (flags >= DRIFTS).sum(axis=1).tolist(), strict=True):
                found[name] = max(found.get(name, 0), count)
        return {name: count for name, count in found.items() if count}

    def load_curves(self, period: Period) -> tuple[list[str], FloatArray]:
        """The meters that consume, by name, and their mean power in every quarter of the period's days.

        Of shape (meters, quarters), kW, NaN where unknown: what the peak and coincidence KPIs are derived from.
        """
        first, last = self._ordinals(period.start, period.end - 1)
        return self._days.demand.curves(first, last)

    def state_bytes(self) -> int:
        """Bytes of the arrays the engine holds: days, recent hours and windows."""
        return self._days.bytes() + self._hours.bytes() + self._windows.bytes()

    def _asked(self, code: str) -> Reads:
        return asked(DERIVATIONS[code].derive, self.city, self._index) if code in DERIVATIONS else Reads()

    def _touches(self, derivation: Derivation, quantities: set[str] | None) -> bool:
        """Whether a change of these quantities (None: of all) may change the KPI.

        One that depends on the city file alone is in it with any change.
        """
        asked_for = self.record.quantities(derivation.kpi.code)
        return quantities is None or not asked_for or bool(quantities & asked_for)

    def _periods(self, days: Mapping[int, set[str]], now: int, codes: Sequence[str]) -> dict[Period, set[str] | None]:
        main = self._days.columns.main
        newest = main.origin + main.shape[1] if main.shape[1] else None
        return self._due.periods(days, self.record.looks_back(codes), now, self._clock, newest)

    def _logged_periods(self, days: Mapping[int, set[str]], now: int) -> list[Period]:
        """Years, quarters and months of the time that was logged: without an interruption they have zeros."""
        if not any(quantities & OUTAGES for quantities in days.values()):
            return []
        start, end = log_span(self._view(calendar_period("day", date(2000, 1, 1), self.city.zone), now))
        first, last = self._ordinals(round(max(start, -(1 << 45))), round(min(end, now)) - 1)
        found = {
            calendar_period(kind, date.fromordinal(day), self.city.zone)
            for kind in _LOGGED
            for day in (*range(first, last, 27), last)
        }
        return sorted(found)

    def _view(self, period: Period, now: int) -> View:
        days = self._days
        expected = float(max(min(period.end, window_start(now, HOUR, self._phase)) - period.start, 0))
        return View(
            self.city, period, expected, self._sums(period), days.daily, days.rolling.hourly, days.demand.period,
            days.meter_changes(*self._ordinals(period.start, period.end - 1)), {}, self._index,
            now=now, read_life=days.life, read_balance=days.balance.between,
        )  # fmt: skip

    def _sums(self, period: Period) -> Sums:
        """The period's sums per (device, quantity) with data."""
        if period.kind == "24h":
            return self._days.rolling.sums(period.start, period.end)
        first, last = self._ordinals(period.start, period.end - 1)
        return self._days.sums.of(first, last)

    def _ordinals(self, *times: int) -> tuple[int, ...]:
        """The civil day of each time."""
        return tuple(local_date(t, self.city.zone).toordinal() for t in times)

    def _not_kept(self) -> set[str]:
        """Quantities that some derivation has read and whose days are not kept."""
        self._version = self.record.version
        return self.record.all_quantities() - self._quantities

    def _keep(self, quantities: set[str]) -> None:
        """Fold the stored hours of quantities that no derivation had read before."""
        self._quantities |= quantities
        series = [i for i, name in enumerate(self._table.all) if name.quantity in quantities]
        if self._stored and series:
            first, last = self._ordinals(*self._stored)
            self._days.touch_stored(first, last, np.array(series, dtype=np.int64))
            self._unreported |= self._days.settle()


def _run(derivation: Derivation, view: View, now: int) -> tuple[list[KpiValue], Reads]:
    """The values of a derivation, and what it read for them."""
    return view.recording(lambda _: [kpi_value(view, derivation, part, now) for part in derivation.derive(view)])
