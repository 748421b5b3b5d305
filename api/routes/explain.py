"""/v1/cities/{city}/kpis/{code}/explain: the proof of a value, for people and verifiers.

It is made from the stored hours while the request waits, which takes seconds with a year of data. So only one is made
at a time; a second request is answered 503.
"""

from __future__ import annotations

from threading import Lock
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from adapters.store import Store
from api.problems import Left, NotFound, responses
from api.queries import catalogue_code
from api.state import CityOf, LeftOf, StateOf
from telemetry.errors import Unavailable, UsageError

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"], responses=responses(404, 422, 503))
_ONE_AT_A_TIME = Lock()


class ExplainQuery(BaseModel):
    """Which value, and in which form."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(description="2018, 2018-Q3, 2018-07 or 2018-07-01; city time")
    part: str = Field("", description="Only this part, like pm2_5")
    format: Literal["text", "json"] = "text"


@router.get("/kpis/{code}/explain", response_class=PlainTextResponse)
def explained(
    record: CityOf, code: str, state: StateOf, left: LeftOf, query: Annotated[ExplainQuery, Query()]
) -> Response:
    """How the value came about: devices, readings, coverage, parameters, arithmetic and uncertainty."""
    from reporting.proof.explain import explain  # noqa: PLC0415 - a quarter of a megabyte, for few requests

    try:
        known = catalogue_code(code)
    except UsageError as error:
        raise NotFound(str(error)) from error
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise Unavailable("Another proof is being made; try again in a few seconds.")
    try:
        if left():
            raise Left
        # The reading half of a store is all that a proof needs.
        readable = cast(Store, state.store)
        text = explain(readable, record.id, known, query.part, query.period, query.format, state.clock())
    finally:
        _ONE_AT_A_TIME.release()
    return Response(text, media_type="application/json" if query.format == "json" else "text/plain; charset=utf-8")
