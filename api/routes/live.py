"""/v1/live: server-sent events."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from api.problems import NotFound, responses
from api.sse import last_event_id
from api.state import State, StateOf, find_city
from telemetry.errors import UsageError

router = APIRouter(prefix="/v1", tags=["live"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `snapshot`, `kpis` (both: city, updated, kpis) and `alive` (time, store).",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/live", response_class=StreamingResponse, responses={**_STREAM, **responses(404, 422, 503)})
async def live(
    state: StateOf,
    city: Annotated[str | None, Query(description="Optional where the store contains one city")] = None,
    last: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingResponse:
    """First a snapshot (the newest value of every kind), then only what changes; `Last-Event-ID` resumes."""
    known = await to_thread.run_sync(_city, state, city)
    events = await state.hub.watch(known, last_event_id(last))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _city(state: State, city: str | None) -> str:
    if city is not None:
        return find_city(state.store, city).id
    ids = [record.id for record in state.store.cities()]
    if not ids:
        raise NotFound("The store contains no city yet. Start a city, or replay its readings.")
    if len(ids) > 1:
        raise UsageError(f"Name the city: ?city= one of {', '.join(ids)}.")
    return ids[0]
