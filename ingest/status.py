"""What dashboards need beside windows and KPI values, written while ingest works: devices and their state, air bands,
targets, events. Everything is an upsert; after a crash the same rows are written again. What is known at one
time is put at once, because each put is a request to the store.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.metadata import version
from itertools import chain
from typing import Protocol

from adapters.newest_rows import NewestRows
from adapters.points import Point, Points
from ingest import events, targets
from ingest.air_bands import bands
from ingest.fleet import Fleet
from kpi_derivation.rules.air.calibration import Calibrations
from kpi_derivation.verdicts import goal_of, goals, verdict
from registry.city import City
from telemetry.gases import EU_CELSIUS, relative
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE


class Known(Protocol):
    """The KPI values that the store has of the city."""

    def in_memory(self) -> Collection[StoredKpi]:
        """Those that were read already, the newest among them."""

    def all(self) -> Collection[StoredKpi]:
        """All."""


class Status:
    """The rows for dashboards of one city."""

    def __init__(self, points: Points, city: City, table: SeriesTable, known: Known) -> None:
        self._points, self._city, self._table = points, city, table
        self._calibrations = Calibrations(city, table)
        self._scales = {
            (d.id, q): relative(q, EU_CELSIUS) if q in d.in_ppb else 1.0 for d in city.device for q in d.quantities
        }
        self._goals = goals(city)
        years = points.newest_of_years(city.id)
        self._newest = NewestRows(city.id, years, lambda k: verdict(k, goal_of(k, self._goals)))
        self._fleet = Fleet(city, points.newest(city.id))
        self._silences = events.Silences(city)
        self._written = 0
        self._is_known = False  # whether the devices' last rows are stored
        self._bands: dict[tuple[str, str], tuple[int, object]] = {}  # device and quantity -> newest hour and its band
        named = Point("registry", {"city": city.id}, {"name": city.city.name, "timezone": city.city.timezone}, 0)
        beside = self._not_judged(known)
        self._judged = targets.judged_all(self._goals, beside)
        rows = targets.rows(beside, self._goals), self._newest.all(), [self._judged.point(city.id)]
        points.put(chain([named], events.calibrations(city), *rows))

    def _not_judged(self, known: Known) -> Collection[StoredKpi]:
        """The values beside which rows of targets may be missing: all after a change of targets or program, else those
        that were stored last, because a crash may have come before their rows.
        """
        noted = self._points.judged(self._city.id)
        if noted is None or noted.by != targets.named(self._goals):
            return known.all()
        found = (*known.in_memory(), *self._points.updated_since(self._city.id, noted.to))
        return {v.kpi.identity: v for v in found}.values()

    def started(self, now: int) -> None:
        """The process that serves the city has started."""
        self._points.put([events.started(self._city, version("cityvitals"), now)])

    def windows(self, windows: Partials) -> None:
        """Stored windows: who was heard."""
        self._fleet.take(windows, self._table)

    def hours(self, hours: Partials) -> None:
        """Stored hours: their air bands, where they are not what was written last of the series."""
        found = list(bands(hours, self._table, self._calibrations, self._scales))
        fresh = [p for p in found if self._bands.get(_series(p)) != (p.time, p.fields["band"])]
        self._points.put(fresh)
        self._bands.update((_series(p), (p.time, p.fields["band"])) for p in fresh)

    def values(self, changed: Sequence[StoredKpi], sentences: Sequence[str], now: int) -> None:
        """Stored KPI values: their targets, and what was revised; `sentences`: what a changed city file changed."""
        of_values = targets.rows(changed, self._goals), self._newest.changed(changed), events.revisions(changed)
        judged = targets.judged_more(self._judged, changed)
        note = [judged.point(self._city.id)] if changed else []
        self._points.put(chain(*of_values, events.city_file(self._city, sentences, now), note))
        self._judged = judged

    def is_due(self, now: int) -> bool:
        """Whether the devices' state has not been written in the minute of `now`."""
        return now // MINUTE != self._written // MINUTE

    def tick(self, now: int, suspects: dict[str, int]) -> None:
        """Write the devices' state at `now`; `suspects`: suspect days of stations."""
        self._written = now
        if now // MINUTE % 10 == 0:  # what was written once is written again where a database was lost
            self._bands.clear()
            self._is_known = False
        for device, state in self._fleet.states.items():
            state.suspect = suspects.get(device, 0)
        fell, back = self._fleet.judge(now)
        heard = {device: state.heard for device, state in self._fleet.states.items()}
        silences = self._silences.note(fell, back, heard, now)
        is_known, self._is_known = self._is_known, False
        self._points.put(chain(silences, self._fleet.rows(whole=not is_known), [self._fleet.summary(now)]))
        self._is_known = True


def _series(point: Point) -> tuple[str, str]:
    return point.tags["device"], point.tags["quantity"]
