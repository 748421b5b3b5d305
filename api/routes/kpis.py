"""/v1/cities/{city}/kpis: the values of a period, and a KPI over time."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.model import KpiJson, Series
from api.problems import responses
from api.queries import TimeRange, catalogue_code, history, in_period, moment, zone_of
from api.routes.about import known_code
from api.state import CityOf, StateOf
from api.tables import FILES, Form, as_file
from telemetry.kpi_value import StoredKpi, as_json
from telemetry.periods import iso

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"], responses=responses(404, 422, 503))


# For the description; invalid input is rejected with sentences of this API.
_DAY = r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_PERIOD = rf"^([12]\d{{3}}|[12]\d{{3}}-Q[1-4]|[12]\d{{3}}-(0[1-9]|1[0-2])|{_DAY}|24h|365d)$"
_MOMENT = rf"^{_DAY}(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-][01]\d:[0-5]\d))?$"


class KpiQuery(BaseModel):
    """The selected values; an unknown parameter is an error, because an ignored filter misleads."""

    model_config = ConfigDict(extra="forbid")

    period: str | None = Field(
        None,
        description="2018, 2018-Q3, 2018-07, 2018-07-01, 24h or 365d; city time",
        json_schema_extra={"pattern": _PERIOD},
    )
    code: list[str] | None = Field(None, description="Only these KPIs; may be given several times")


class SeriesQuery(BaseModel):
    """The selected time range and part."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: Literal["day", "month", "quarter", "year"] = "day"
    part: str | None = Field(None, description="Only this part, such as pm2_5")
    begin: str | None = Field(
        None,
        alias="from",
        description="Periods that start at this date or time or later",
        json_schema_extra={"pattern": _MOMENT},
    )
    format: Form = Field("json", description="csv or xlsx: the same as a file, one row a value")
    end: str | None = Field(
        None,
        alias="to",
        description="Periods that start before this date or time",
        json_schema_extra={"pattern": _MOMENT},
    )


@router.get("/kpis", response_model=list[KpiJson])
def kpis(record: CityOf, state: StateOf, query: Annotated[KpiQuery, Query()]) -> list[dict[str, Any]]:
    """The values of a period; without `period` the newest value of every kind of period."""
    codes = None if query.code is None else [catalogue_code(code) for code in query.code]
    return [as_json(row.kpi) for row in in_period(state.store, record, query.period, codes)]


@router.get("/kpis/{code}/series", response_model=Series, responses=FILES)
def series(
    record: CityOf, code: str, state: StateOf, query: Annotated[SeriesQuery, Query()]
) -> dict[str, Any] | Response:
    """A KPI over time, as columns per part. Days are limited to the last 92 days unless `from` is given."""
    known, zone = known_code(code), zone_of(record)
    time_range = TimeRange(moment(query.begin, zone, "from"), moment(query.end, zone, "to"))
    rows = history(state.store, record, known, query.kind, query.part, time_range)
    if query.format != "json":
        name = f"{record.id}-{known.replace(':', '-')}-{query.kind}"
        return as_file([_row(row) for row in rows], _FILE, query.format, name)
    parts = [_columns(part, list(group)) for part, group in groupby(rows, key=lambda row: row.kpi.part)]
    return {"city": record.id, "code": known, "kind": query.kind, "series": parts}


_NAMES = (
    "period", "start", "end", "value", "unit", "coverage", "status", "n_devices", "revision", "changed", "previous",
    "method",
)  # fmt: skip
_FILE = ("city", "code", "part", *_NAMES, "reason", "notes")


def _row(row: StoredKpi) -> dict[str, Any]:
    return as_json(row.kpi) | {"changed": iso(row.changed), "previous": row.previous}


def _columns(part: str, rows: list[StoredKpi]) -> dict[str, Any]:
    values = [_row(row) for row in rows]
    return {"part": part, **{name: [value[name] for value in values] for name in _NAMES}}
