"""/v1/region: the profile of many cities, their heat map, peers, twins, and the index workbench.

The calculations are imported with the first request: the server of one city never needs them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.problems import responses
from api.state import StateOf

router = APIRouter(prefix="/v1/region", tags=["region"])


class RegionQuery(BaseModel):
    """Which cities, in which period."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(description="2018, 2018-Q3, 2018-07 or 2018-07-01")
    region: str = Field("", description="Only cities with this region; default: all")
    group: str = Field("", description="Only cities of this group; default: all")


class IndexQuery(RegionQuery):
    """What an index is made of."""

    normalisation: Literal["target", "min-max"] = "target"
    weights: Literal["equal", "category"] = "equal"
    aggregation: Literal["arithmetic", "geometric"] = "arithmetic"
    draws: int = Field(1000, ge=1, le=5000)
    seed: int = Field(1, ge=0, le=2**32)


class PeersQuery(BaseModel):
    """For which city."""

    model_config = ConfigDict(extra="forbid")

    city: str
    count: int = Field(10, ge=1, le=1000)


class TwinsQuery(BaseModel):
    """Two cities and a period."""

    model_config = ConfigDict(extra="forbid")

    ours: str
    theirs: str
    period: str


class Rows(BaseModel):
    """Rows of one kind; their fields are those of `cityvitals region ... --format json`."""

    rows: list[dict[str, Any]]


class Whole(BaseModel):
    """One answer; its fields are those of `cityvitals region ... --format json`."""

    model_config = ConfigDict(extra="allow")


@router.get("/profile", response_model=Rows, responses=responses(422, 503))
def region_profile_route(state: StateOf, query: Annotated[RegionQuery, Query()]) -> dict[str, Any]:
    """Each figure of the region: mean of evaluations, value as one area, quartiles, cities far from their group."""
    from reporting.region.queries import region_profile  # noqa: PLC0415 - see above

    found = region_profile(state.store, query.period, query.region, query.group)
    return {"rows": msgspec.to_builtins(found)}


@router.get("/heat-map", response_model=Whole, responses=responses(422, 503))
def region_heat_map_route(state: StateOf, query: Annotated[RegionQuery, Query()]) -> Any:  # noqa: ANN401 - JSON
    """The score of each category in each city."""
    from reporting.region.queries import region_heat_map  # noqa: PLC0415

    return msgspec.to_builtins(region_heat_map(state.store, query.period, query.region, query.group))


@router.get("/peers", response_model=Rows, responses=responses(422, 503))
def region_peers_route(state: StateOf, query: Annotated[PeersQuery, Query()]) -> dict[str, Any]:
    """Cities like this one, nearest first."""
    from reporting.region.queries import peers  # noqa: PLC0415

    return {"rows": msgspec.to_builtins(peers(state.store, query.city, query.count))}


@router.get("/twins", response_model=Whole, responses=responses(422, 503))
def region_twins_route(state: StateOf, query: Annotated[TwinsQuery, Query()]) -> Any:  # noqa: ANN401 - JSON
    """Where another city is ahead."""
    from reporting.region.queries import region_twins  # noqa: PLC0415

    return msgspec.to_builtins(region_twins(state.store, query.ours, query.theirs, query.period))


@router.get("/index", response_model=Whole, responses=responses(422, 503))
def region_index_route(state: StateOf, query: Annotated[IndexQuery, Query()]) -> Any:  # noqa: ANN401 - JSON
    """Ranks by a stated choice, with the interval of other choices; never an official index."""
    from reporting.index.workbench import Choice  # noqa: PLC0415
    from reporting.region.queries import region_index  # noqa: PLC0415

    choice = Choice(
        normalisation=query.normalisation, weights=query.weights, aggregation=query.aggregation, draws=query.draws,
        seed=query.seed,
    )  # fmt: skip
    return msgspec.to_builtins(region_index(state.store, query.period, choice, query.region, query.group))
