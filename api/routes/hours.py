"""/v1/cities/{city}/hours and /devices/{device}: hourly values of many devices, and everything about one."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.device_reads import heard, records_of
from api.devices import withheld
from api.hours import gaps, hours_of, plain
from api.problems import Denied, NotFound, responses
from api.queries import model_of, moment
from api.routes.devices import device_row
from api.state import CityOf, State, StateOf
from api.tables import FILES, Form, as_file
from kpi_derivation.rules.air.indices import EUROPE, european_band
from registry.city import City, Device
from telemetry.errors import UsageError, nearest
from telemetry.periods import iso
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY, HOUR

router = APIRouter(prefix="/v1/cities/{city}", tags=["Devices"], responses=responses(403, 404, 422, 503))
_MOST = 400 * DAY
_LAST = 25 * HOUR


class SpanQuery(BaseModel):
    """Which quantity, and when; without times the last seven days."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    quantity: str = Field(description="Such as pm2_5 or power")
    begin: str | None = Field(None, alias="from", description="A date of the city's time, or RFC 3339")
    end: str | None = Field(None, alias="to", description="The same; not included")
    format: Form = Field("json", description="csv or xlsx: one row an hour")


class QuantityQuery(BaseModel):
    """Which quantity."""

    model_config = ConfigDict(extra="forbid")

    quantity: str = Field(description="Such as pm2_5 or power")


class DeviceHours(BaseModel):
    """Hours of a device as columns of equal length; `others`: median of the city's other stations."""

    city: str
    device: str
    quantity: str
    unit: str
    start: str
    step_s: int
    value: list[float | None]
    low: list[float | None]
    high: list[float | None]
    readings: list[int]
    flagged: list[int]
    others: list[float | None] | None


class ManyHours(BaseModel):
    """The last 25 hours of every device that has the quantity and may be shown."""

    city: str
    quantity: str
    unit: str
    start: str
    step_s: int
    bands: list[list[int | None]] | None = Field(description="Band of the European index, for pollutants of the air.")
    devices: list[str]
    values: list[list[float | None]]


class DeviceDetail(BaseModel):
    """One device: state, registry entry, calibration, records, gaps of the last week, suspect days of the last 30."""

    city: str
    at: str
    device: dict[str, Any]
    registry: dict[str, Any]
    records: dict[str, dict[str, Any]]
    suspect_days: int
    gaps: list[dict[str, Any]]


def device_of(city: City, name: str) -> Device:
    """The registered device. Raises NotFound naming the nearest."""
    if (found := next((d for d in city.device if d.id == name), None)) is None:
        hint = nearest(name, [d.id for d in city.device]) if city.device else "no device is registered."
        raise NotFound(f"There is no device '{name}' in {city.id}; {hint}")
    return found


@router.get("/devices/{device}", response_model=DeviceDetail)
def one_device(record: CityOf, device: str, state: StateOf) -> dict[str, Any]:
    """Everything about a device. Of a meter that may be a household's: neither position nor values."""
    city, now = model_of(record), state.clock()
    entry = device_of(city, device)
    found = next(d for d in heard(city, state.store, now, [device]).devices if d.id == device)
    end = now // HOUR * HOUR + HOUR
    quantity = entry.quantities[0] if entry.quantities else ""
    steady = quantity and not QUANTITIES[quantity].event
    n = hours_of(city, state.store, quantity, [device], end - 7 * DAY, end).n[0] if steady else np.ones(1, dtype=int)
    hidden = {"lat", "lon"} if found.withheld else set()
    suspects = (state.suspects.of(city, state.store, now) or {}) if entry.kind.startswith("air") else {}
    return {
        "city": city.id,
        "at": iso(now),
        "device": device_row(found),
        "registry": entry.plain(hidden),
        "records": {} if found.withheld else records_of(city, state.store, now, device),
        "suspect_days": suspects.get(device, 0),
        "gaps": [{**g, "start": iso(g["start"]), "end": iso(g["end"])} for g in gaps(n, end - 7 * DAY)],
    }


@router.get("/devices/{device}/hours", response_model=DeviceHours, responses=FILES)
def device_hours(
    record: CityOf, device: str, state: StateOf, query: Annotated[SpanQuery, Query()]
) -> dict[str, Any] | Response:
    """The hours of one quantity of a device, with the median of the other stations beside those of the air."""
    city = model_of(record)
    entry = device_of(city, device)
    if withheld(entry.kind, entry.role, entry.customers):
        raise Denied(f"The values of {device} are withheld: it may be the meter of a household.")
    if query.quantity not in entry.quantities:
        raise UsageError(f"{device} does not measure '{query.quantity}'; {nearest(query.quantity, entry.quantities)}")
    start, end = _span(city, state, query)
    found = hours_of(city, state.store, query.quantity, [device], start, end)
    answer: dict[str, Any] = {
        "city": city.id, "device": device, "quantity": query.quantity, "unit": QUANTITIES[query.quantity].unit,
        "start": iso(start), "step_s": HOUR // 1000, "value": plain(found.value[0]), "low": plain(found.low[0]),
        "high": plain(found.high[0]), "readings": found.n[0].tolist(), "flagged": found.flagged[0].tolist(),
        "others": _others(city, state, entry, query.quantity, start, end),
    }  # fmt: skip
    return answer if query.format == "json" else _file(answer, start, query.format)


_COLUMNS = ("value", "low", "high", "readings", "flagged", "others")


def _file(answer: dict[str, Any], start: int, form: Form) -> Response:
    """The hours as rows, each with its start."""
    columns = [name for name in _COLUMNS if answer[name] is not None]
    fixed = {name: answer[name] for name in ("device", "quantity", "unit")}
    rows = [
        {"time": iso(start + i * HOUR), **fixed, **{name: answer[name][i] for name in columns}}
        for i in range(len(answer["value"]))
    ]
    return as_file(rows, ["time", *fixed, *columns], form, f"{answer['device']}-{answer['quantity']}")


def _span(city: City, state: State, query: SpanQuery) -> tuple[int, int]:
    end = moment(query.end, city.zone, "to") or state.clock() // HOUR * HOUR + HOUR
    start = moment(query.begin, city.zone, "from")
    start = end - 7 * DAY if start is None else start
    if not 0 < end - start <= _MOST:
        raise UsageError("`from` must be before `to`, and at most 400 days before it.")
    return start // HOUR * HOUR, -(-end // HOUR) * HOUR


def _others(city: City, state: State, entry: Device, quantity: str, start: int, end: int) -> list[float | None] | None:
    """The median of the other stations of the air in every hour; None for other devices, or without others."""
    if quantity not in EUROPE or not entry.kind.startswith("air"):
        return None
    names = [d.id for d in city.device if d.kind.startswith("air") and quantity in d.quantities and d.id != entry.id]
    if not names:
        return None
    values = hours_of(city, state.store, quantity, names[:100], start, end).value
    there = ~np.isnan(values).all(axis=0)
    median = np.full(values.shape[1], np.nan)
    median[there] = np.nanmedian(values[:, there], axis=0)
    return plain(median)


@router.get("/hours", response_model=ManyHours)
def city_hours(record: CityOf, state: StateOf, query: Annotated[QuantityQuery, Query()]) -> dict[str, Any]:
    """The last 25 hours of a quantity, the running one included, of every device that may be shown."""
    city = model_of(record)
    if query.quantity not in QUANTITIES:
        raise UsageError(f"There is no quantity '{query.quantity}'; {nearest(query.quantity, QUANTITIES)}")
    mine = [d for d in city.device if query.quantity in d.quantities]
    names = [d.id for d in mine if not withheld(d.kind, d.role, d.customers)]
    end = state.clock() // HOUR * HOUR + HOUR
    found = hours_of(city, state.store, query.quantity, names, end - _LAST, end)
    return {
        "city": city.id, "quantity": query.quantity, "unit": QUANTITIES[query.quantity].unit,
        "start": iso(end - _LAST), "step_s": HOUR // 1000, "devices": names,
        "values": [plain(row) for row in found.value],
        "bands": [[_band(query.quantity, v) for v in row] for row in found.value.tolist()]
        if query.quantity in EUROPE
        else None,
    }  # fmt: skip


def _band(quantity: str, value: float) -> int | None:
    return None if np.isnan(value) else european_band(quantity, value)
