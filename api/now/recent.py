"""The engine over the last eight days of a city, kept for a minute: what curves and bands of today are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from api.shared_store import SharedStore
from kpi_derivation.engine.runner import Engine
from planning.measured import engine_over
from registry.city import City
from telemetry.periods import Period, local_date, midnight
from telemetry.windows import HOUR

MOST_METERS = 2000  # beyond which a request would take many seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """The engine and what it has: whole local days from a week ago to the end of this hour, UTC ms."""

    engine: Engine
    today: int
    before: int
    until: int


def seen(city: City, store: SharedStore, now: int) -> Seen:
    """The engine of a city at `now` (UTC ms)."""
    day = local_date(now, city.zone)
    today, before = midnight(day, city.zone), midnight(day - timedelta(days=7), city.zone)
    until = (now // HOUR + 1) * HOUR
    return Seen(engine_over(city, store, Period("quarter", "now", before, until)), today, before, until)
