"""Ingest without any network: windows into the store, hours and KPI values derived, in that order.

The store always holds what a KPI was computed from. Everything is an upsert, so a crash between any two steps is
repaired by redelivery of the same windows.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from adapters.store import CityRecord, CityStore, Kept, PackedRecord, Store
from ingest.checkpoints import Checkpoints
from ingest.known import Known
from ingest.old_periods import OldPeriods
from ingest.open_hours import OpenHours
from ingest.status import Status
from ingest.unregistered import Unregistered
from kpi_derivation.catalogue import DERIVATIONS
from kpi_derivation.engine import changes
from kpi_derivation.engine.runner import Engine
from kpi_derivation.engine.values import revise, withdrawn
from registry.city import City
from telemetry.errors import CityVitalsError, Rejected, UsageError
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import CALENDAR, ROLLING, Period, hour_phase
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import DAY, HOUR, window_start

log = logging.getLogger(__name__)

_ALWAYS = -(1 << 60)


class CityIngest:
    """Windows of one city into KPI values."""

    def __init__(
        self, store: CityStore, table: SeriesTable, city: City, record: CityRecord, open_hours_ms: int = 0
    ) -> None:
        self.city, self.width = city, record.width
        self._store, self._table, self._record = store, table, PackedRecord.of(record)
        self._stored_reads = -1
        self._last_derived = 0
        self._old_periods = OldPeriods()
        self._recalculate: dict[str, int] = {}  # KPIs that a changed city file affects, and since when (ms UTC)
        self._new_file: PackedRecord | None = None
        self._recalculated_whole: set[str] = set()  # KPIs of which the changed city file has every value recalculated
        self.change_report: list[str] = []  # what the last changed city file changed
        self._unregistered = Unregistered(city, table)
        self._known = Known(store, city.id)
        self._checkpoints = Checkpoints(store.states, city) if store.states else None
        hours, windows = store.span(city.id, "hour"), store.span(city.id, "window")
        self.kept = store.kept(city.id, "window")
        self._engine = self._started(record, hours, windows)
        self._open_hours = OpenHours(table, open_hours_ms, self._engine.hours_at, hour_phase(city.zone))
        # Values of a store from before reads were recorded: any change of the city file may affect them.
        self._engine.record.unknown = {v.kpi.code for v in self._known.in_memory()} - record.reads.keys()
        self.status = Status(store.points, city, table, self._known) if store.points else None
        if windows:
            newest = window_start(hours[1], HOUR, hour_phase(city.zone)) if hours else windows[0]  # not a quarter in it
            self._catch_up(newest, windows[1])

    def _started(self, record: CityRecord, hours: tuple[int, int] | None, windows: tuple[int, int] | None) -> Engine:
        """An engine with the days of the stored hours: from the checkpoint, else folded from them."""
        engine = Engine(self.city, self._table, self._store, record.reads)
        if not hours:
            return engine if windows or self._store.drops_old else engine.begin()
        newest = windows[1] if windows else hours[1] + HOUR
        if self._checkpoints:
            if self._checkpoints.resume(engine, hours, newest):
                return engine
            engine = Engine(self.city, self._table, self._store, record.reads)
        engine.restore(hours, newest)
        return engine

    @property
    def continued(self) -> bool:
        """Whether this start took the checkpoint."""
        return bool(self._checkpoints and self._checkpoints.restored)

    def checkpoint(self, ends: bool = True) -> bool:
        """Store the engine's state for the next start; False where nothing has changed or the store keeps none.

        `ends`: the process ends; else rows of hours that wait still do, because what is live would wait for all
        of them: a start after a crash makes them of the windows, and folds their days a second time.
        """
        if ends:
            self._store_hours(self._open_hours.all_of_them())
        return bool(self._checkpoints and self._checkpoints.save(self._engine))

    def _catch_up(self, first: int, last: int, series: IntArray | None = None) -> int:
        """Make the hours of stored windows that have none: they were stored before the city was served, or before a
        crash.

        `series`: only of these. Returns how many windows there are. Hours of a time whose windows are deleted stay.
        """
        seen, first = 0, max(first, self.kept_from)
        for start in range(first // DAY * DAY, last + 1, DAY):
            made: list[Partials] = []  # stored together: a start after a crash looks behind the newest stored hour
            for windows in self._engine.stored_windows(max(start, first), start + DAY, series):
                seen += len(windows)
                made.append(self._hours_of(windows))
            self._changed(Partials.concat(made).latest())
        return seen

    def _absorb(self, windows: Partials) -> None:
        """Store the hours that stored windows change, and what dashboards need of both."""
        self._changed(self._hours_of(windows))

    def _hours_of(self, windows: Partials) -> Partials:
        self._unregistered.log(windows)
        hours = self._engine.absorb(windows)
        if self.status and len(windows):
            self.status.windows(windows)
        return hours

    def _changed(self, hours: Partials) -> None:
        if self._open_hours.every:
            self._open_hours.changed(hours)
            self._store_hours(self._open_hours.due())
        else:
            self._store_hours([hours])

    def _store_hours(self, due: Iterable[Partials]) -> None:
        for hours in due:
            self._store.put_partials("hour", hours, self._table)
            if self.status and len(hours):
                self.status.hours(hours)

    def rebuild_hours(self) -> int:
        """Recalculate every hour from the stored windows; returns how many windows there are.

        For windows stored while the city was not served: a start reads only those after its newest hour.
        """
        windows = self._store.span(self.city.id, "window")
        return self._catch_up(*windows) if windows else 0

    @property
    def kept_from(self) -> int:
        """Windows before this time (ms UTC) are deleted, and late ones of them rejected."""
        return self.kept.start if self.kept else _ALWAYS

    def take(self, windows: Partials) -> int:
        """Store windows and the hours they change. Raises Unavailable: then nothing may be acknowledged.

        Returns how many were not stored, because the windows of their time are deleted.
        """
        fresh = windows.take(windows.start >= self.kept_from)
        self._store.put_partials("window", fresh, self._table)
        self._absorb(fresh)
        return len(windows) - len(fresh)

    def take_hours(self, hours: Partials) -> None:
        """Store hours that others have made of windows. Raises Unavailable: then nothing may be acknowledged."""
        self._store.put_partials("hour", hours, self._table)
        self._engine.take_hours(hours)

    def newest(self) -> Iterable[StoredKpi]:
        """The newest values that the store holds and that were not withdrawn, and others."""
        return self._known.newest()

    def touch_everything(self) -> None:
        """Make the next `derive` evaluate every period, from the stored hours."""
        self._engine.touch_everything()

    def changed_from(self, old: City | None, record: CityRecord) -> None:
        """Note that the city file differs from the stored one (`old`; None: that cannot be read any more).

        The next `derive` recalculates the values that depend on the difference, and only then stores the file, so that
        a crash between leaves both for the next start.
        """
        found = [] if old is None else changes.changes(old, self.city, self._engine.record)
        self.change_report = changes.reasons(found)
        self._recalculate, self._new_file = changes.since(found), PackedRecord.of(record)
        always = {code for code, first in self._recalculate.items() if first == changes.ALWAYS}
        self._recalculated_whole = set(self._engine.record.unknown) if old is None else always
        fresh = [] if old is None else [self._table.id_of(s) for s in self._engine.made_otherwise(old)]
        windows = self._store.span(self.city.id, "window")
        if fresh and windows:
            self._catch_up(*windows, np.array(fresh, dtype=np.int64))
        if fresh and self.kept:
            self.change_report.append(_not_again(len(fresh), self.kept))
        if old is None:
            self._engine.touch_everything()
        for sentence in self.change_report:
            log.info("city file of %s: %s", self.city.id, sentence)

    @property
    def file_changed(self) -> bool:
        """Whether a changed city file is to be applied by the next `derive`."""
        return self._new_file is not None

    def _file_is_done(self, changed: list[StoredKpi]) -> None:
        """Store the city file whose values are derived; log the result."""
        if self._new_file is None:
            return
        self._engine.record.unknown -= self._recalculated_whole
        self._put_record(self._new_file)
        self.change_report += (results := changes.outcome(self._known.before(changed), changed))
        for sentence in results:
            log.info("city file of %s: %s", self.city.id, sentence)
        self._recalculate, self._new_file = {}, None

    def _put_record(self, packed: PackedRecord) -> None:
        """Store the city file with what the derivations have read."""
        version, reads = self._engine.record.version, self._engine.record.stored()
        facts = {code: [list(fact) for fact in facts] for code, facts in reads.items()}
        record = packed.record()._replace(reads=facts)
        self._store.put_city(record)
        self._record = PackedRecord.of(record)
        self._stored_reads = version

    @property
    def waiting(self) -> int:
        """How many old periods have changed and are not derived yet."""
        return self._engine.waiting

    @property
    def has_parts(self) -> bool:
        """Whether the next `derive` continues what one does not complete, though nothing arrives."""
        return self.waiting > 0 or self._open_hours.has_over

    def derive(self, now: int, bounded: bool = False) -> list[StoredKpi]:
        """Evaluate what changed and store it; returns the values that are new or differ. `now`: ms UTC.

        `bounded`: of old periods only as many as the budget of the city allows; the others wait for the next call.
        """
        self._store_hours(self._open_hours.due(now))
        self._engine.needs_hours_from(self._open_hours.oldest)
        try:
            most = self._old_periods.allowed(now) if bounded and not self.file_changed else None
            values = {v.identity: v for v in self._engine.evaluate(now, most)}
            if most is not None:
                self._old_periods.spend(self._engine.old)
            values = {v.identity: v for v in self._overdue(now)} | values
            if self._recalculate:
                values |= {v.identity: v for v in self._engine.again(self._recalculate, now)}
                values |= {v.identity: v for v in self._values_without_devices(values.keys(), now)}
            changed = self._revised(values.values(), now)
            if self._engine.record.version != self._stored_reads:  # before the values that depend on them
                self._put_record(self._record)
            self._store.put_kpis(changed)
            sentences = self.change_report if self.file_changed else []
            self._file_is_done(changed)
            self._write_dashboard_points(changed, sentences, now)
        except CityVitalsError:  # also a store that rejects for a while: a token, a database
            # What the engine has settled is not in the store, and only the engine has the list of these values.
            self._engine.touch_everything()
            raise
        self._last_derived = now
        self._known.update(changed)
        return changed

    def _write_dashboard_points(self, changed: list[StoredKpi], sentences: list[str], now: int) -> None:
        """Write what dashboards show beside the values: targets, events, and once a minute the state of the devices."""
        if self.status:
            self.status.values(changed, sentences, now)
            if self.status.is_due(now):
                self.status.tick(now, self._engine.suspects(now))

    def _overdue(self, now: int) -> list[KpiValue]:
        """Values of periods that became final while no data arrived; once an hour, and after every start."""
        if now // HOUR == self._last_derived // HOUR:
            return []
        final = now - self.city.rules.final_after_h * HOUR
        open_ = (v.kpi for v in self._known.in_memory() if v.kpi.status == "provisional" and v.kpi.kind in CALENDAR)
        periods = {Period(k.kind, k.period, k.start, k.end) for k in open_ if k.end <= final}
        periods |= {Period(k.kind, k.period, k.start, k.end) for k in self._too_early(now)}
        found = [value for period in sorted(periods) for value in self._engine.derive(period, now)]
        return found + [withdrawn(k) for k in self._rolled_ahead(now)]

    def _too_early(self, now: int) -> Iterable[KpiValue]:
        """Values of calendar periods that have not started, or final too early: a clock was ahead."""
        settle = round(self.city.rules.final_after_h * HOUR)
        for k in self._known.ending_after(now - settle, CALENDAR):
            is_future = k.start > now and k.reason != "future"
            if k.code in DERIVATIONS and (is_future or k.status == "final"):
                yield k

    def _rolled_ahead(self, now: int) -> Iterable[KpiValue]:
        """Rolling values that end after now."""
        return [k for k in self._known.ending_after(now + HOUR, ROLLING) if k.reason != "future"]

    def _values_without_devices(self, derived: Container[Any], now: int) -> list[KpiValue]:
        """Values of periods in which no registered device has data any more, as after devices were taken out."""
        old = [v.kpi for v in self._known.all() if v.kpi.identity not in derived and v.kpi.kind in CALENDAR]
        mine = [k for k in old if k.code in DERIVATIONS and k.end > self._recalculate.get(k.code, k.end)]
        periods = {Period(k.kind, k.period, k.start, k.end): set[str]() for k in mine}
        for k in mine:
            periods[Period(k.kind, k.period, k.start, k.end)].add(k.code)
        return [
            value
            for period, codes in sorted(periods.items())
            for value in self._engine.derive(period, now, [DERIVATIONS[code] for code in sorted(codes)])
        ]

    def _revised(self, values: Iterable[KpiValue], now: int) -> list[StoredKpi]:
        hold = self.city.rules.revision_hold_h * HOUR
        revised = (revise(self._known.get(v.identity), v, now, hold) for v in values)
        return [v for v in revised if v is not None]


def serve(store: CityStore, table: SeriesTable, city: City, width: int, open_hours_ms: int = 0) -> CityIngest:
    """A city with the state that the store has of it; its file goes there, and a changed one is noted.

    `open_hours_ms`: how long rows of the newest hour may wait until they are stored.

    Raises UsageError where the store has another window width.
    """
    if hour_phase(city.zone) % width:
        raise UsageError(f"Hours in {city.city.timezone} do not begin with a window of {width // 1000} s; use 60 s.")
    record = CityRecord(city.id, city.model_dump(mode="json", exclude_defaults=True), width)
    stored = store.city(city.id) or record
    store.put_city(stored._replace(width=width))  # rejects another width
    made = CityIngest(store, table, city, stored._replace(width=width), open_hours_ms)
    if stored.config != record.config:
        made.changed_from(_readable(stored.config), record)
    return made


UNCONFIGURED = 16  # cities without a CITY.toml whose windows are stored


class Ingest:
    """All cities of one ingest process. A city without a CITY.toml has its windows stored and no KPI derived."""

    def __init__(self, store: Store, open_hours_ms: int = 0) -> None:
        """`open_hours_ms`: see `serve`."""
        self.store, self._open_hours_ms = store, open_hours_ms
        self.table = SeriesTable()
        self.cities: dict[str, CityIngest] = {}
        self._widths: dict[str, int] = {}

    def add_city(self, city: City, width: int) -> CityIngest:
        """Serve a city; its file goes to the store. Raises UsageError where the store has another window width."""
        self.cities[city.id] = made = serve(self.store, self.table, city, width, self._open_hours_ms)
        self._widths[city.id] = width
        return made

    def check_width(self, city: str, width: int) -> None:
        """Raises Rejected for windows of another width than the city's: they would count readings twice.

        And for a city without a CITY.toml that is one more than UNCONFIGURED: rows of such cities are never removed.
        """
        if city not in self._widths and len(self._widths.keys() - self.cities.keys()) >= UNCONFIGURED:
            raise Rejected(f"city '{city}' is not configured here, and {UNCONFIGURED} such cities are stored already")
        expected = self._widths.setdefault(city, width)
        if width != expected:
            raise Rejected(f"windows of {width // 1000} s; {city} has windows of {expected // 1000} s")

    def kept_from(self, city: str) -> int:
        """Windows of the city before this time (ms UTC) are rejected: those that were stored are deleted."""
        return self.cities[city].kept_from if city in self.cities else _ALWAYS

    def take(self, city: str, windows: Partials) -> int:
        """Store windows of a city; returns how many were not, because the windows of their time are deleted."""
        if city in self.cities:
            return self.cities[city].take(windows)
        self.store.put_partials("window", windows, self.table)
        return 0

    def derive(self, now: int) -> list[StoredKpi]:
        """Evaluate all cities; returns what changed."""
        return [value for city in self.cities.values() for value in city.derive(now)]

    def checkpoint(self, ends: bool = True) -> None:
        """Store the state of all engines for the next start. `ends`: see `CityIngest.checkpoint`."""
        for city in self.cities.values():
            city.checkpoint(ends)

    @property
    def waiting(self) -> int:
        """How many old periods of all cities wait to be derived."""
        return sum(city.waiting for city in self.cities.values())

    @property
    def has_parts(self) -> bool:
        """Whether any city has more to store or derive than one round does."""
        return any(city.has_parts for city in self.cities.values())


def _not_again(count: int, kept: Kept) -> str:
    what = f"{count} series are aggregated differently; their older hours cannot be derived again"
    return f"{what} and stay as they were, for {kept.sentence()}"


def _readable(config: dict[str, Any]) -> City | None:
    """A stored city file; None for one of another version that cannot be read any more."""
    try:
        return City.model_validate(config)
    except ValueError:
        return None
