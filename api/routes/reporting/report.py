"""/v1/cities/{city}/report: the form of a year (CSV, or a workbook), and figures that a reporter enters.

Figures pass the same checks as `cityvitals kpi report`; all of a request are stored, or none. What reads and
checks forms is imported with the first request: reporters come once a year, and it takes half a megabyte.
"""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf, who_of
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery

if TYPE_CHECKING:
    from reporting.report import Outcome

router = APIRouter(prefix="/v1/cities/{city}/report", tags=["Reporting"], responses=responses(401, 403, 404, 422, 503))
_MOST = 2_000_000  # characters of a file
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            _XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


class FormQuery(BaseModel):
    """Of which year, and as which file."""

    model_config = ConfigDict(extra="forbid")

    year: int = Field(ge=1990, le=2100)
    format: Literal["csv", "xlsx"] = "csv"


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
    """Figures one by one, or a filled form: as CSV, or a workbook in base64."""

    model_config = ConfigDict(extra="forbid")

    figures: list[FigureIn] = Field([], max_length=500)
    csv: str = Field("", max_length=_MOST)
    xlsx: str = Field("", max_length=_MOST)
    state: Literal["check", "draft", "submitted"] = Field(
        "submitted", description="Only checked; kept as drafts; or stored as the city's figures"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> FiguresIn:
        if [bool(self.figures), bool(self.csv), bool(self.xlsx)].count(True) != 1:
            raise ValueError("give one of figures, csv and xlsx")
        return self


class Stored(BaseModel):
    """How many figures, how many of them are new or changed, and what a verifier would check."""

    figures: int
    changed: int
    findings: list[str]


@router.get("/form", response_class=Response, responses=_FORMS)
def form(record: CityOf, state: StateOf, query: Annotated[FormQuery, Query()]) -> Response:
    """A form with a row for each figure of the 91: empty as CSV, with the figures stored so far as a workbook."""
    from reporting.figures.file import blank_form  # noqa: PLC0415 - see above
    from reporting.figures.stored import reported_among  # noqa: PLC0415
    from reporting.files.workbook import form_workbook  # noqa: PLC0415

    headers = {"Content-Disposition": f'attachment; filename="{record.id}-{query.year}.{query.format}"'}
    if query.format == "csv":
        return Response(blank_form(query.year), media_type="text/csv; charset=utf-8", headers=headers)
    known = reported_among(state.store.kpis(KpiQuery(record.id, ["year"])))
    return Response(form_workbook(query.year, known), media_type=_XLSX, headers=headers)


@router.post("/figures", response_model=Stored)
def figures(record: CityOf, state: StateOf, body: FiguresIn, request: Request) -> dict[str, Any]:
    """Check and store figures, all or none: as of the city, final, with the next revision where they differ.

    With the state `draft` they are kept beside the city's figures; with `check` nothing is stored.
    """
    from reporting.report import figures_in  # noqa: PLC0415
    from reporting.submission.work import keep_drafts, only_check, submit  # noqa: PLC0415

    name = "the form.xlsx" if body.xlsx else "the form"
    data = _unpacked(body.xlsx) if body.xlsx else (body.csv or _as_csv(body.figures)).encode()
    given, city, who = figures_in(data, name), model_of(record), who_of(request)
    with state.store.writing() as store:
        if body.state == "draft":
            return _stored(keep_drafts(store, city, given, name, who, state.clock()))
        if body.state == "check":
            return _stored(only_check(store, city, given, name))
        return _stored(submit(store, city, given, name, who, state.clock()))


def _stored(done: Outcome) -> dict[str, Any]:
    return {"figures": done.figures, "changed": done.changed, "findings": [f.text for f in done.findings]}


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise UsageError("xlsx is not base64; send the bytes of the workbook in base64.") from None


def _as_csv(rows: list[FigureIn]) -> str:
    from reporting.figures.file import COLUMNS  # noqa: PLC0415

    out = io.StringIO()
    names = [name for name in COLUMNS if name in FigureIn.model_fields]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return out.getvalue()
