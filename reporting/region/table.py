"""The figures of a region's cities in one period, from a store; and which cities a region has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from adapters.store import CityRecord
from registry.city import City
from reporting.comparison import CityFigures
from reporting.figures.figures import Figure, figures
from reporting.figures.stored import calendar
from reporting.targets import Scores, score, stored_targets
from telemetry.errors import UsageError, nearest
from telemetry.kpi_value import KpiQuery, StoredKpi

# Variables by which like cities are found; `density` is made of two of them.
VARIABLES = ("population", "income_per_capita", "heating_degree_days", "car_share")


class Cities(Protocol):
    """A store, or the API's shared one."""

    def cities(self) -> list[CityRecord]:
        """All cities."""

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """The KPI values of a query."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One city of the region: its figures of the period and their scores against its targets."""

    city: City
    figures: list[Figure]
    scores: Scores

    @property
    def id(self) -> str:
        """The city's id."""
        return self.city.id


def cities_of(store: Cities, region: str = "", group: str = "", ids: Sequence[str] = ()) -> list[City]:
    """The cities of a region and group ("" for all), or these. Raises UsageError where there are none."""
    every = [City.model_validate(record.config) for record in store.cities()]
    for wanted in ids:
        if wanted not in {c.id for c in every}:
            raise UsageError(f"The store contains no city '{wanted}'; {nearest(wanted, [c.id for c in every])}")
    for text, name in ((region, "region"), (group, "group")):
        known = sorted({getattr(c.city, name) for c in every} - {""})
        if text and text not in known:
            raise UsageError(
                f"No city has {name} '{text}'; {nearest(text, known) if known else f'set {name} in [city].'}"
            )
    found = [
        c for c in every
        if region in ("", c.city.region) and group in ("", c.city.group) and (not ids or c.id in ids)
    ]  # fmt: skip
    if not found:
        raise UsageError("The store contains no such city yet; see `cityvitals region import`.")
    return found


def members(store: Cities, cities: Iterable[City], period_text: str) -> list[Member]:
    """The cities with their figures of a calendar period. Raises UsageError for the period."""
    found = []
    for city in cities:
        period = calendar(city, period_text)
        mine = figures(v.kpi for v in store.kpis(KpiQuery.of_period(city.id, period)))
        found.append(Member(city=city, figures=mine, scores=score(mine, stored_targets(city))))
    return found


def as_compared(found: Iterable[Member]) -> list[CityFigures]:
    """The same for `compare`."""
    return [city_figures(m.city, m.figures) for m in found]


def city_figures(city: City, found: Sequence[Figure]) -> CityFigures:
    """A city's figures with the numbers of its file by which values are weighted."""
    weights = {k: v for k, v in dict(city.city).items() if v is None or isinstance(v, float)}
    return CityFigures(id=city.id, name=city.city.name, population=city.city.population, figures=found, weights=weights)


def neighbours(cities: Sequence[City], city: City, most: int) -> tuple[str, list[City]]:
    """What a city is compared with where there are many: its group, else its region, else all; and the name of these.

    Of more than `most`, those whose population is nearest, by ratio; the city itself is among them.
    """
    name = ""
    chosen = list(cities)
    for key in ("group", "region"):
        own = getattr(city.city, key)
        same = [c for c in cities if getattr(c.city, key) == own]
        if own and len(same) > 1:
            name, chosen = own, same
            break
    chosen.sort(key=lambda c: (c.id != city.id, _apart(city.city.population, c.city.population), c.id))
    return name, chosen[:most]


def _apart(a: float | None, b: float | None) -> float:
    return abs(math.log(a / b)) if a and b else math.inf


def variables_of(city: City) -> dict[str, float | None]:
    """What Gower's distance is calculated from."""
    c = city.city
    density = c.population / c.area_km2 if c.population and c.area_km2 else None
    return {name: getattr(c, name) for name in VARIABLES} | {"density": density}
