"""/v1/index/kpis: the feed with which an index updates its copy."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.index_feed import MOST, VERSION, Place, as_entry, from_cursor, licence_of, page, to_cursor
from api.model import KpiJson
from api.problems import responses
from api.queries import moment
from api.state import StateOf, find_city
from telemetry.errors import UsageError
from telemetry.periods import PeriodKind

router = APIRouter(prefix="/v1/index", tags=["index"])


class IndexQuery(BaseModel):
    """The position in the feed, and filters."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(None, description="Only changes after this time, RFC 3339; not together with a cursor")
    cursor: str | None = Field(None, description="The cursor of the last answer: continue after it")
    limit: int = Field(1000, ge=1, le=MOST, description="The largest number of values")
    city: list[str] | None = Field(None, description="Only these cities; may be given several times")
    kind: list[PeriodKind] | None = Field(None, description="Only these kinds of periods, such as year")


class IndexEntry(KpiJson):
    """A value with its history: `revision` counts the changes of a final value, `previous` is the one before."""

    kind: PeriodKind
    origin: str = Field(description="derived from readings, or reported by the city")
    changed: str = Field(description="Time since which it has this value, RFC 3339 UTC")
    updated: str = Field(description="Time of the last change of any field, RFC 3339 UTC")
    previous: float | None


class IndexPage(BaseModel):
    """A page of the feed. Send `cursor` with the next request: at once while `more`, else at any time."""

    version: int = Field(
        description="Version of this model; it increases when a field is removed or changes its meaning"
    )
    licences: dict[str, str | None] = Field(description="Per city; null where it is not set")
    values: list[IndexEntry]
    cursor: str
    more: bool


@router.get("/kpis", response_model=IndexPage, responses=responses(404, 422, 503))
def index_kpis(state: StateOf, query: Annotated[IndexQuery, Query()], response: Response) -> dict[str, Any]:
    """KPI values of all cities, each city's in the order of change; upsert them by city, code, part, kind and start."""
    if query.cursor is not None and query.since is not None:
        raise UsageError("Send since or cursor, not both.")
    since = moment(query.since, ZoneInfo("UTC"), "since")
    place = from_cursor(query.cursor) if query.cursor else Place(since=-1 if since is None else since)
    records = [find_city(state.store, c) for c in query.city] if query.city else state.store.cities()
    entries = page(state.store, [r.id for r in records], query.kind, place, query.limit)
    cursor = to_cursor(entries.place)
    if entries.more:
        next_query = query.model_dump(exclude_none=True, exclude={"since", "cursor"}) | {"cursor": cursor}
        response.headers["Link"] = f'</v1/index/kpis?{urlencode(next_query, doseq=True)}>; rel="next"'
    return {
        "version": VERSION,
        "licences": {r.id: licence_of(r) for r in records},
        "values": [as_entry(row) for row in entries.rows],
        "cursor": cursor,
        "more": entries.more,
    }
