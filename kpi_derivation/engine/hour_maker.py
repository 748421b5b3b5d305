"""From windows to hours: each hour that a window touches is merged again from all its windows. Pure.

windows --+--> levels (sound energy, faults) --+--> hours
          +-----------------------------------+
hours of meters --> demand of their quarters
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.derived import QUARTER, demand, demand_source, has_quarter_detail, levels
from kpi_derivation.engine.recent import Recent
from kpi_derivation.engine.spans import runs
from registry.city import City
from telemetry.partials import Partials, regroup
from telemetry.periods import hour_phase
from telemetry.series import BoolArray, IntArray, Series, SeriesTable
from telemetry.windows import HOUR, MINUTE, window_start

_BEFORE_1970 = 1 << 31  # minutes; recorded data may be of any year from 1950
_AT_ONCE = 2000  # series of which the windows are read at once: near the end of an hour these are 120,000


class HourMaker:
    """The hours of one city. `windows`: its stored windows."""

    def __init__(self, city: City, table: SeriesTable, windows: Recent) -> None:
        self._city, self._table, self._windows = city.id, table, windows
        self._phase = hour_phase(city.zone)
        self._metered = np.empty(0, dtype=np.bool_)  # by series
        self._devices = city.by_id

    def hours_of(self, windows: Partials) -> Partials:
        """The hours that these windows change, derived series among them."""
        series = np.unique(windows.series)
        if len(series) <= _AT_ONCE:
            return self._hours_of(windows)
        made = []
        for at in range(0, len(series), _AT_ONCE):
            some = series[at : at + _AT_ONCE]
            made.append(self._hours_of(windows.take((windows.series >= some[0]) & (windows.series <= some[-1]))))
        return Partials.concat(made)

    def _hours_of(self, windows: Partials) -> Partials:
        hour = window_start(windows.start, HOUR, self._phase)
        pairs = _pairs(windows.series, hour)
        found = []
        for first, last in runs(np.unique(hour), HOUR):
            here = pairs[(pairs[:, 1] >= first) & (pairs[:, 1] <= last)]
            for part in self._windows.read(first, last + HOUR, np.unique(here[:, 0])):
                found.append(part.take(self._among(part, here)))
        base = Partials.concat(found).latest()
        both = Partials.concat([base, levels(base, self._table)])
        hours = regroup(both, window_start(both.start, HOUR, self._phase), self._table.modulus(both.series))
        return Partials.concat([hours, self._demand(hours)])

    def _demand(self, hours: Partials) -> Partials:
        """Demand of the quarters of these hours, and of the ones beside them that a register's step may reach.

        Interval energies reach no other hour: of them only the hours that changed, so that which rows are stored does
        not depend on what else arrived at the same time.
        """
        metered, intervals = self._is_metered(hours.series), self._table.has("energy_delta", hours.series)
        keep = metered & ~(intervals & has_quarter_detail(hours.n))
        mine = hours.take(keep)
        pairs = _pairs(mine.series, mine.start)
        made = []
        for first, last in runs(np.unique(mine.start), HOUR):
            series = np.unique(mine.series[(mine.start >= first) & (mine.start <= last)])
            until = last + HOUR + QUARTER
            read = self._windows.read(first - 3 * QUARTER, until + QUARTER, series)
            around = Partials.concat(list(read)).latest()
            intervals = self._table.has("energy_delta", around.series)
            around = around.where(~intervals | self._among(around, pairs))
            made.append(demand(around, self._table, first, until))
        return Partials.concat(made)

    def _is_metered(self, series: IntArray) -> BoolArray:
        """Whether demand is made from each of these series."""
        fresh = self._table.all[len(self._metered) :]
        made = [name.city == self._city and self._source(name.device) == name.quantity for name in fresh]
        self._metered = np.append(self._metered, np.array(made, dtype=np.bool_))
        return self._metered[series]

    def _among(self, windows: Partials, pairs: IntArray) -> BoolArray:
        """Which of these windows lie in one of the hours `pairs`: (series, start of the hour), sorted, unique."""
        size = int(max(windows.series.max(initial=0), pairs[:, 0].max(initial=0))) + 1
        wanted = np.sort(pairs[:, 1] * size + pairs[:, 0])
        mine = window_start(windows.start, HOUR, self._phase) * size + windows.series
        place = np.minimum(np.searchsorted(wanted, mine), len(wanted) - 1)
        found: BoolArray = wanted[place] == mine
        return found

    def new_sources(self, old: City) -> list[Series]:
        """Meters whose demand is made from another quantity than with the city file `old`, or only now: the series."""
        before = {d.id: demand_source(d) for d in old.device}
        sources = ((name, demand_source(device)) for name, device in self._devices.items())
        return [Series(self._city, name, source) for name, source in sources if source and before.get(name) != source]

    def _source(self, name: str) -> str | None:
        device = self._devices.get(name)
        return None if device is None else demand_source(device)


def _pairs(series: IntArray, hour: IntArray) -> IntArray:
    """The different (series, hour), sorted."""
    number = hour // MINUTE + _BEFORE_1970
    code = np.unique(series * (1 << 32) + number)
    return np.stack((code >> 32, ((code & 0xFFFFFFFF) - _BEFORE_1970) * MINUTE), axis=1)
