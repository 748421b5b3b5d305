"""/v1/cities/{city}/report: the blank form of a year, and figures that a reporter enters.

Figures pass the same checks as `cityvitals kpi report`; all of a request are stored, or none.
"""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.problems import responses
from api.state import CityOf, StateOf
from registry.city import City
from reporting.figures.file import COLUMNS, blank_form
from reporting.report import report_text

router = APIRouter(prefix="/v1/cities/{city}/report", tags=["Reporting"], responses=responses(401, 403, 404, 422, 503))
_MOST = 2_000_000  # characters of a file
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class FormQuery(BaseModel):
    """Of which year."""

    model_config = ConfigDict(extra="forbid")

    year: int = Field(ge=1990, le=2100)


class FigureIn(BaseModel):
    """One figure, as its row of the form."""

    model_config = ConfigDict(extra="forbid", str_max_length=600)

    code: str
    part: str = ""
    year: int = Field(ge=1990, le=2100)
    value: str
    source: str
    quality: str
    remark: str = ""


class FiguresIn(BaseModel):
    """Figures one by one, or a filled form as CSV."""

    model_config = ConfigDict(extra="forbid")

    figures: list[FigureIn] = Field([], max_length=500)
    csv: str = Field("", max_length=_MOST)

    @model_validator(mode="after")
    def _one_of_both(self) -> FiguresIn:
        if bool(self.figures) == bool(self.csv):
            raise ValueError("give figures or csv")
        return self


class Stored(BaseModel):
    """How many figures, how many of them are new or changed, and what a verifier would check."""

    figures: int
    changed: int
    findings: list[str]


@router.get("/form", response_class=Response, responses=_CSV)
def form(record: CityOf, query: Annotated[FormQuery, Query()]) -> Response:
    """An empty form with a line for each figure of the 91."""
    headers = {"Content-Disposition": f'attachment; filename="{record.id}-{query.year}.csv"'}
    return Response(blank_form(query.year), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/figures", response_model=Stored)
def figures(record: CityOf, state: StateOf, body: FiguresIn) -> dict[str, Any]:
    """Check and store figures, all or none: as of the city, final, with the next revision where they differ."""
    text = body.csv or _as_csv(body.figures)
    with state.store.writing() as store:
        done = report_text(store, City.model_validate(record.config), text, "the form", state.clock())
    return {"figures": done.figures, "changed": done.changed, "findings": [f.text for f in done.findings]}


def _as_csv(rows: list[FigureIn]) -> str:
    out = io.StringIO()
    names = [name for name in COLUMNS if name in FigureIn.model_fields]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return out.getvalue()
