"""Which stations are suspect: judged from months of hours in a thread of its own, so that no request waits for long."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock, Thread

import numpy as np

from adapters.store import Level
from api.shared_store import SharedStore
from kpi_derivation.rules.air.stations import KINDS
from planning.measured import engine_over
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.partials import Partials
from telemetry.periods import Period, local_date, midnight
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import HOUR

log = logging.getLogger(__name__)

LOOK_BACK_DAYS = 120  # in which a station's usual difference from its neighbours is learnt


@dataclass(slots=True)
class _Judging:
    """One judgement in flight: of which city, from which moment (UTC ms)."""

    city: City
    at: int
    done: Event = field(default_factory=Event)
    found: Mapping[str, int] | None = None


@dataclass(slots=True)
class Suspects:
    """The newest judgement of each city. `wait_s`: how long a request waits for the first one."""

    wait_s: float = 1.0
    _ready: dict[str, _Judging] = field(default_factory=dict)
    _running: dict[str, _Judging] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, city: City, store: SharedStore, now: int) -> Mapping[str, int] | None:
        """Stations and their suspect days of the last 30, at most an hour old where a new judgement came in time.

        None where there is none yet: it is being calculated; retry.
        """
        with self._lock:
            ready = self._ready.get(city.id)
            ready = ready if ready and ready.city == city else None
            if ready and 0 <= now - ready.at < HOUR:
                return ready.found
            running = self._running.get(city.id)
            if running is None or running.city != city:
                running = self._running[city.id] = _Judging(city, now)
                Thread(target=self._judge, args=(running, store), daemon=True, name="suspects").start()
        if ready is None:
            running.done.wait(self.wait_s)
            return running.found
        return ready.found

    def _judge(self, judging: _Judging, store: SharedStore) -> None:
        try:
            judging.found = suspects_of(judging.city, store, judging.at)
        except Unavailable as error:
            log.warning("suspect stations are not judged now: %s", error)
        except Exception:  # the next request begins another judgement
            log.exception("Suspect stations of '%s' cannot be judged.", judging.city.id)
        finally:
            with self._lock:
                if self._running.get(judging.city.id) is judging:
                    del self._running[judging.city.id]
                if judging.found is not None:
                    self._ready[judging.city.id] = judging
            judging.done.set()


def suspects_of(city: City, store: SharedStore, now: int) -> dict[str, int]:
    """Stations and their suspect days of the last 30, at `now` (UTC ms). Raises Unavailable."""
    stations = [d for d in city.device if d.kind in KINDS]
    if not stations:
        return {}
    only = city.model_copy(update={"device": stations})
    start = midnight(local_date(now, city.zone) - timedelta(days=LOOK_BACK_DAYS), city.zone)
    return engine_over(only, _Of(only, store), Period("quarter", "now", start, (now // HOUR + 1) * HOUR)).suspects(now)


class _Of:
    """A history of which only the series of these devices are read: a city has twenty times as many."""

    def __init__(self, city: City, store: SharedStore) -> None:
        self._names = [Series(city.id, d.id, quantity) for d in city.device for quantity in d.quantities]
        self._store = store

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See History."""
        if series is None:
            series = np.array([table.id_of(name) for name in self._names], dtype=np.int64)
        return self._store.partials(city, level, start, end, table, series)
