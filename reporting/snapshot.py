"""`cityvitals kpi snapshot`: the wheel of the 22 categories as SVG."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adapters.store import Store
from registry.city import City
from registry.target import TargetEntry
from registry.toml import load
from reporting.figures.points import Point
from reporting.figures.stored import figures_of
from reporting.scoring import Target
from reporting.show import stored_city
from reporting.targets import score, stored_targets, targets
from reporting.wheel import snapshot


class TargetsFile(BaseModel):
    """A file of targets, for example of a whole region: [[target]] entries as in a CITY.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: list[TargetEntry]


def wanted_targets(city: City, path: Path | None) -> dict[Point, Target]:
    """The targets of the file, or the city's own without one. Raises UsageError."""
    return targets(load(path, TargetsFile, "targets file").target) if path else stored_targets(city)


def city_snapshot(store: Store, city_id: str, period_text: str, path: Path | None) -> str:
    """The picture of a city's period. Raises UsageError."""
    city = stored_city(store, city_id)
    wanted = wanted_targets(city, path)
    period, figures = figures_of(store, city, period_text)
    return snapshot(city.city.name, period.label, figures, score(figures, wanted))
