"""/v1/compare: cities side by side in one year, by block against their own targets and figure by figure."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from adapters.store import CityRecord, Store
from api.problems import responses
from api.queries import standing_year
from api.state import State, StateOf, find_city
from registry.city import City
from reporting.compare import compared
from reporting.indicators import Indicator, indicators
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery
from telemetry.periods import parse_period

router = APIRouter(prefix="/v1", tags=["KPI values"], responses=responses(404, 422, 503))
_MOST = 100


class CompareQuery(BaseModel):
    """Which cities and which year."""

    model_config = ConfigDict(extra="forbid")

    city: list[str] | None = Field(None, description="Only these cities; may be given several times")
    period: str | None = Field(None, description="A year, such as 2025; default: the newest with figures")


class Comparison(BaseModel):
    """Cities with the mean performance of their blocks, and figures that at least two of them have."""

    period: str
    blocks: list[dict[str, str]]
    cities: list[dict[str, Any]]
    mean: list[float | None] = Field(description="Plain mean of the cities, by block.")
    by_people: list[float | None] = Field(description="Mean weighted by inhabitants, by block.")
    figures: list[dict[str, Any]]


@router.get("/compare", response_model=Comparison)
def compare_cities(state: StateOf, query: Annotated[CompareQuery, Query()]) -> dict[str, Any]:
    """Performance against each city's own targets: a place among neighbours, not an official index."""
    records = [find_city(state.store, c) for c in query.city] if query.city else state.store.cities()
    if not records:
        raise UsageError("The store contains no city yet; start one, or replay its readings.")
    if len(records) > _MOST:
        raise UsageError(f"{len(records)} cities are more than {_MOST}; name some of them with city=.")
    label = query.period or standing_year(state.store, records[0], state.clock()).label
    found = {r.id: _indicators(state, r, label) for r in records}
    blocks = list(dict.fromkeys((i.sub_dimension, i.category) for i in next(iter(found.values()))))
    cities = [_city(r, found[r.id], blocks) for r in records]
    lines = compared(cast(Store, state.store), [r.id for r in records], label, [])
    return {
        "period": label,
        "blocks": [{"sub": sub, "name": name} for sub, name in blocks],
        "cities": sorted(cities, key=lambda c: -(c["share"] if c["share"] is not None else -1)),
        "mean": [_mean([(c["blocks"][i], 1.0) for c in cities]) for i in range(len(blocks))],
        "by_people": [_mean([(c["blocks"][i], c["population"]) for c in cities]) for i in range(len(blocks))],
        "figures": [msgspec.to_builtins(line) for line in lines],
    }


def _indicators(state: State, record: CityRecord, label: str) -> list[Indicator]:
    city = City.model_validate(record.config)
    period = parse_period(label, city.zone)
    values = [row.kpi for row in state.store.kpis(KpiQuery.of_period(record.id, period))]
    return indicators(city, values)


def _city(record: CityRecord, found: list[Indicator], blocks: list[tuple[str, str]]) -> dict[str, Any]:
    shares = [
        _mean([(i.performance, 1.0) for i in found if (i.sub_dimension, i.category) == block]) for block in blocks
    ]
    head = record.config["city"]
    return {
        "id": record.id, "name": head.get("name", record.id), "population": head.get("population"), "blocks": shares,
        "share": _mean([(share, 1.0) for share in shares]),
        "with_value": len({i.code for i in found if i.value is not None}),
    }  # fmt: skip


def _mean(pairs: list[tuple[float | None, float | None]]) -> float | None:
    """The weighted mean of what is known; None where nothing is."""
    known = [(value, weight) for value, weight in pairs if value is not None and weight]
    whole = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / whole if whole else None
