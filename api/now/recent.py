"""The engine over the last eight days of a city, kept for a minute: what curves and bands of today are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from api.shared_store import SharedStore
from kpi_derivation.engine.runner import Engine
from planning.measured import engine_over
from registry.city import City
from telemetry.periods import Period, local_date, midnight
from telemetry.windows import HOUR, MINUTE

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
    _lock: Lock = field(default_factory=Lock)

    def of(self, city: City, store: SharedStore, now: int) -> Seen:
        """The engine of a city at `now` (UTC ms), at most a minute old."""
        with self._lock:
            made, seen = self._kept.get(city.id, (0, None))
            if seen is None or not 0 <= now - made < MINUTE or seen.engine.city != city:
                seen = _made(city, store, now)
                self._kept[city.id] = (now, seen)
            return seen


def _made(city: City, store: SharedStore, now: int) -> Seen:
    day = local_date(now, city.zone)
    today, before = midnight(day, city.zone), midnight(day - timedelta(days=7), city.zone)
    until = (now // HOUR + 1) * HOUR
    return Seen(engine_over(city, store, Period("quarter", "now", before, until)), today, before, until)
