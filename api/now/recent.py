"""The engine over the last eight days of a city, kept for a minute: what curves and bands of today are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from api.shared_store import SharedStore
from kpi_derivation.engine.runner import Engine
from kpi_derivation.rules.air.stations import KINDS
from planning.measured import engine_over
from registry.city import City
from telemetry.periods import Period, local_date, midnight
from telemetry.windows import HOUR, MINUTE

LOOK_BACK_DAYS = 120  # in which a station's usual difference from its neighbours is learnt
MOST_METERS = 2000  # beyond which a request would take many seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """The engine and what it has: whole local days from a week ago to the end of this hour, UTC ms."""

    engine: Engine
    today: int
    before: int
    until: int


@dataclass(slots=True)
class Recent:
    """One engine for each city. Requests that come together wait for one another and share what was made."""

    _kept: dict[str, tuple[int, Seen]] = field(default_factory=dict)
    _suspects: dict[str, tuple[int, City, dict[str, int]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, city: City, store: SharedStore, now: int) -> Seen:
        """The engine of a city at `now` (UTC ms), at most a minute old."""
        with self._lock:
            made, seen = self._kept.get(city.id, (0, None))
            if seen is None or not 0 <= now - made < MINUTE or seen.engine.city != city:
                seen = _made(city, store, now)
                self._kept[city.id] = (now, seen)
            return seen

    def suspects(self, city: City, store: SharedStore, now: int) -> dict[str, int]:
        """Stations and their suspect days of the last 30, as of at most an hour ago: they are judged by whole days."""
        with self._lock:
            made, known, found = self._suspects.get(city.id, (0, None, {}))
            if known != city or not 0 <= now - made < HOUR:
                found = _suspects(city, store, now)
                self._suspects[city.id] = (now, city, found)
            return found


def _suspects(city: City, store: SharedStore, now: int) -> dict[str, int]:
    stations = [d for d in city.device if d.kind in KINDS]
    if not stations:
        return {}
    only = city.model_copy(update={"device": stations})
    start = midnight(local_date(now, city.zone) - timedelta(days=LOOK_BACK_DAYS), city.zone)
    return engine_over(only, store, Period("quarter", "now", start, (now // HOUR + 1) * HOUR)).suspects(now)


def _made(city: City, store: SharedStore, now: int) -> Seen:
    day = local_date(now, city.zone)
    today, before = midnight(day, city.zone), midnight(day - timedelta(days=7), city.zone)
    until = (now // HOUR + 1) * HOUR
    return Seen(engine_over(city, store, Period("quarter", "now", before, until)), today, before, until)
