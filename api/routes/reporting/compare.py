"""/v1/compare: cities side by side in one year, by block against their own targets and figure by figure."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.problems import responses
from api.queries import model_of, standing_year
from api.state import State, StateOf, find_city
from api.tables import FILES, Form, as_file
from registry.city import City
from reporting.figures.figures import Figure, figures
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
    near: str | None = Field(
        None, description="This city and those of its group, else of its region; of many, those of a like population"
    )
    period: str | None = Field(None, description="A year, such as 2025; default: the newest with figures")
    format: Form = Field("json", description="csv or xlsx: the blocks as a file, one row a city")


class Comparison(BaseModel):
    """Cities with the mean performance of their blocks, and figures that at least two of them have."""

    period: str
    group: str = Field(description="With `near`: the group or region that the cities are of; else empty.")
    blocks: list[dict[str, str]]
    cities: list[dict[str, Any]]
    mean: list[float | None] = Field(description="Plain mean of the cities, by block.")
    by_people: list[float | None] = Field(description="Mean weighted by inhabitants, by block.")
    figures: list[dict[str, Any]]


@router.get("/compare", response_model=Comparison, responses=FILES)
def compare_cities(state: StateOf, query: Annotated[CompareQuery, Query()]) -> dict[str, Any] | Response:
    """Performance against each city's own targets: a place among neighbours, not an official index."""
    from reporting.comparison import compare  # noqa: PLC0415 - imported with the first comparison of cities
    from reporting.region.table import city_figures  # noqa: PLC0415

    group, chosen = _chosen(state, query)
    label = query.period or standing_year(state.store, chosen[0].id, chosen[0].zone, state.clock()).label
    of_city = {c.id: _figures(state, c, label) for c in chosen}
    found = {c.id: indicators(c, of_city[c.id]) for c in chosen}
    blocks = list(dict.fromkeys((i.sub_dimension, i.category) for i in next(iter(found.values()))))
    cities = [_city(c, found[c.id], blocks) for c in chosen]
    if query.format != "json":
        return _file(cities, blocks, label, query.format)
    lines = compare([city_figures(c, of_city[c.id]) for c in chosen])
    return {
        "period": label,
        "group": group,
        "blocks": [{"sub": sub, "name": name} for sub, name in blocks],
        "cities": _ranked(cities),
        "mean": [_mean([(c["blocks"][i], 1.0) for c in cities]) for i in range(len(blocks))],
        "by_people": [_mean([(c["blocks"][i], c["population"]) for c in cities]) for i in range(len(blocks))],
        "figures": [msgspec.to_builtins(line) for line in lines],
    }


def _chosen(state: State, query: CompareQuery) -> tuple[str, list[City]]:
    """The cities of a query, and the group or region by which they were found. Raises UsageError."""
    if query.city and query.near:
        raise UsageError("Give city= or near=, not both.")
    records = [find_city(state.store, c) for c in query.city] if query.city else state.store.cities()
    if not records:
        raise UsageError("The store contains no city yet; start one, or replay its readings.")
    if query.near:
        from reporting.region.table import neighbours  # noqa: PLC0415

        own = model_of(find_city(state.store, query.near))
        return neighbours([model_of(r) for r in records], own, _MOST)
    if len(records) > _MOST:
        raise UsageError(f"{len(records)} cities are more than {_MOST}; name some with city=, or one with near=.")
    return "", [model_of(r) for r in records]


def _figures(state: State, city: City, label: str) -> list[Figure]:
    period = parse_period(label, city.zone)
    return figures(row.kpi for row in state.store.kpis(KpiQuery.of_period(city.id, period)))


def _city(city: City, found: list[Indicator], blocks: list[tuple[str, str]]) -> dict[str, Any]:
    shares = [
        _mean([(i.performance, 1.0) for i in found if (i.sub_dimension, i.category) == block]) for block in blocks
    ]
    return {
        "id": city.id, "name": city.city.name, "population": city.city.population, "blocks": shares,
        "share": _mean([(share, 1.0) for share in shares]),
        "with_value": len({i.code for i in found if i.value is not None}),
        "practices": _practices(city, found, blocks),
    }  # fmt: skip


def _ranked(cities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(cities, key=lambda c: -(c["share"] if c["share"] is not None else -1))


def _file(cities: list[dict[str, Any]], blocks: list[tuple[str, str]], label: str, form: Form) -> Response:
    """One row a city, the best first; a column for each block with its share of target, 0 to 1."""
    names = [f"{sub}: {name}" for sub, name in blocks]
    rows = [
        {**c, "city": c["id"], "year": label, **dict(zip(names, c["blocks"], strict=True))} for c in _ranked(cities)
    ]
    columns = ["city", "name", "population", "year", "share", "with_value", *names]
    return as_file(rows, columns, form, f"comparison-{label}")


def _practices(city: City, found: list[Indicator], blocks: list[tuple[str, str]]) -> dict[int, str]:
    """What the city did, in its own words, by the number of the block to which the KPI belongs."""
    block_of = {i.code: blocks.index((i.sub_dimension, i.category)) for i in found}
    return {block_of[p.code]: p.text for p in city.practice if p.code in block_of}


def _mean(pairs: list[tuple[float | None, float | None]]) -> float | None:
    """The weighted mean of what is known; None where nothing is."""
    known = [(value, weight) for value, weight in pairs if value is not None and weight]
    whole = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / whole if whole else None
