"""Which periods have to be derived: those of changed days, those that look back at them, and those that time
passes in. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from registry.city import City
from telemetry.periods import CALENDAR, Period, PeriodKind, calendar_period, hour_phase, local_date, midnight
from telemetry.windows import DAY, HOUR, MINUTE, window_start

UNDER_WAY = 5 * MINUTE  # readings of a full hour come up to that late
_OLD_DAYS = 400  # data that end this many days ago leave no period open


class LooksBack(NamedTuple):
    """A derivation of `quantities` that looks `days` days back before periods of this kind."""

    kind: PeriodKind
    days: int
    quantities: frozenset[str]


class Due:
    """The periods of one city. `has(quantity, first, last)`: whether there are data on these civil days (ordinals)."""

    def __init__(self, city: City, has: Callable[[str, int, int], bool]) -> None:
        self._city, self._zone, self._has = city, city.zone, has
        self._phase = hour_phase(city.zone)

    def periods(
        self, days: Mapping[int, set[str]], back: Iterable[LooksBack], now: int, before: int, newest: int | None
    ) -> dict[Period, set[str] | None]:
        """Periods to derive and the quantities that changed in them; None stands for all.

        `days`: quantities that changed on each civil day. `before`: the time of the last derivation. `newest`: the
        newest day with data, None where there is none.
        """
        found = dict[Period, set[str] | None]()
        for day, quantities in sorted(days.items()):
            for kind in CALENDAR:
                period = calendar_period(kind, date.fromordinal(day), self._zone)
                found[period] = (found.get(period) or set()) | quantities
        for period, quantities in self._that_look_back(days, back):
            found[period] = (found.get(period) or set()) | quantities
        changed = set().union(*days.values()) if days else set()
        for period in self.rolling(now):
            if any(midnight(date.fromordinal(d + 1), self._zone) > period.start for d in days):
                found[period] = changed
        if self._hour(now - UNDER_WAY) != self._hour(before - UNDER_WAY) and newest is not None:
            found.update(dict.fromkeys(self._passing(now, before, newest)))
        return found

    def _hour(self, t: int) -> int:
        return window_start(t, HOUR, self._phase)

    def _that_look_back(
        self, days: Mapping[int, set[str]], back: Iterable[LooksBack]
    ) -> Iterator[tuple[Period, set[str]]]:
        """Later periods with data whose values look back at these days."""
        for kind, reach, fed in back:
            last: dict[Period, int] = {}
            for day in sorted(d for d, quantities in days.items() if quantities & fed):
                last[calendar_period(kind, date.fromordinal(day), self._zone)] = day
            later = {p for period, day in last.items() for p in self._following(period, day + reach)}
            for period in sorted(later):
                first, end = self._first_day(period), local_date(period.end - 1, self._zone).toordinal()
                if any(self._has(quantity, first, end) for quantity in fed):
                    yield period, set(fed)

    def _following(self, period: Period, until: int) -> Iterator[Period]:
        """The periods of its kind after a period that begin on the day `until` (ordinal) or before."""
        while True:
            period = calendar_period(period.kind, local_date(period.end, self._zone), self._zone)
            if self._first_day(period) > until:
                return
            yield period

    def _first_day(self, period: Period) -> int:
        return local_date(period.start, self._zone).toordinal()

    def _passing(self, now: int, before: int, newest: int) -> list[Period]:
        """Periods whose coverage or status changes as time passes: the open ones and those about to become final."""
        settle = round(self._city.rules.final_after_h * HOUR)
        if local_date(now, self._zone).toordinal() - newest > _OLD_DAYS:
            return []  # only old data: nothing of it is open
        moments = [now, now - DAY, now - settle - HOUR]
        if now - before > 2 * HOUR:
            # After a start, or a long pause, no day since may have been looked at when it ended.
            moments = list(range(now, now - settle - 2 * DAY, -DAY))
        days = [local_date(t, self._zone) for t in moments]
        return [calendar_period(k, d, self._zone) for d in days for k in CALENDAR] + self.rolling(now)

    def rolling(self, now: int) -> list[Period]:
        """The rolling 24 hours, up to the last full hour, and 365 days, up to the last midnight.

        Both end a little after that only, because the last readings are on their way: so that a sum holds whole hours
        and does not fall when an hour or a day begins.
        """
        settled = now - UNDER_WAY
        end, today = self._hour(settled), local_date(settled, self._zone).toordinal()
        year, last = (midnight(date.fromordinal(day), self._zone) for day in (today - 365, today))
        return [Period("24h", "24h", end - DAY, end), Period("365d", "365d", year, last)]
