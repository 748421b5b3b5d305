"""The models of all answers, as in the OpenAPI description."""

from __future__ import annotations

from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from registry.city import Rules
from telemetry.kpi_value import KpiValue

# The fields' descriptions for OpenAPI; their names and types are those of KpiValue.
_ABOUT: dict[str, Any] = {
    "code": Field(examples=["EN:EN:AQ:1C"]),
    "part": Field(description="The data point of a KPI that has several, such as pm2_5; else empty."),
    "period": Field(examples=["2018", "2018-Q3", "2018-07", "2018-07-01", "24h", "365d"]),
    "start": Field(description="Start of the period, RFC 3339 UTC."),
    "end": Field(description="End of the period, not included, RFC 3339 UTC."),
    "coverage": Field(ge=0, le=1, description="Share of the period's time that the readings stand for, 0 to 1."),
    "reason": Field(default="", description="Why a value is missing or partial; empty where it is neither."),
    "numerator": Field(default=None, description="Of a ratio, in its formula's unit (a percentage is 100 times it)."),
    "denominator": Field(default=None, description="Of a ratio; null where the KPI is not one."),
}


def _fields() -> dict[str, Any]:
    """Names and types of what `as_json` gives."""
    hints = get_type_hints(KpiValue) | {"start": str, "end": str}
    return {name: (hints[name], _ABOUT.get(name, ...)) for name in KpiValue.__struct_fields__ if name != "kind"}


_Row = create_model("_Row", **_fields())


class KpiJson(_Row):
    """One KPI value. `value` is null where data are missing; `reason` and `notes` state why."""


class CityJson(BaseModel):
    """A city in the list of cities."""

    id: str
    name: str
    country: str
    timezone: str
    population: float | None = None
    n_devices: int


class DeviceJson(BaseModel):
    """A registered device."""

    model_config = ConfigDict(extra="ignore")

    id: str
    site: str = ""
    kind: str
    lat: float | None = None
    lon: float | None = None
    quantities: list[str]


class Silence(BaseModel):
    """The first part of the way from devices to values that has been silent for longer than its limit."""

    stage: Literal["ingest", "gateway", "sensors", "readings"] = Field(
        description="sensors: gateway and ingest work; readings: the readings ended, and no program was ever heard."
    )
    since: str = Field(description="When it was last heard, RFC 3339 UTC.")


class CityDetail(CityJson):
    """A city with denominators, rules and devices of its values."""

    denominators: dict[str, Any]
    rules: Rules
    window_s: float = Field(
        description="Width of the base windows in seconds: the shortest time between two changes of a value."
    )
    change: int = Field(description="Number of the newest change of a value: /v1/live continues from it.")
    data_from: str | None = Field(description="Start of the oldest hour with data, RFC 3339 UTC.")
    data_until: str | None = Field(
        description="End of the window of the newest accepted reading of a registered device, RFC 3339 UTC;"
        " never in the future."
    )
    silence: Silence | None = Field(description="What has stopped between devices and values; null where nothing has.")
    devices: list[DeviceJson]


class CatalogueEntry(BaseModel):
    """One KPI of the catalogue, of U4SSC or local."""

    code: str
    name: str
    dimension: str
    sub_dimension: str
    category: str
    level: str = Field(description="core, advanced or local")
    type: str
    unit: str
    unit_status: str
    parts: list[str]
    direction: str = Field(description="The better direction: higher, lower or empty.")
    sdg: list[str]
    definition: str
    source: str
    aliases: list[str]
    derivable: bool = Field(description="Whether it is derived from readings; the others are reported by people.")
    method: str


class IndicatorJson(BaseModel):
    """One data point of the 91 KPIs in a period."""

    code: str
    part: str
    name: str
    dimension: str
    sub_dimension: str
    category: str
    level: str
    unit: str
    direction: str
    sdg: list[str]
    origin: Literal["derived", "reported", "missing"] = Field(
        description="Which value counts: from sensors, reported by the city, or none."
    )
    derivable: bool
    value: float | None
    coverage: float | None
    status: str
    why: str = Field(description="Reason code of a missing or partial value.")
    notes: str
    target: float | None
    performance: float | None = Field(description="Share of the city's own target, 0 to 1.")
    points: int | None = Field(description="Band of the performance: 4 from 95 %, 3 from 66 %, 2 from 33 %, 1 below.")
    period: str = Field(description="The period of the value; empty where there is none.")
    history: list[tuple[int, float | None]] = Field([], description="Values of the last five years.")


class IndicatorSummary(BaseModel):
    """Counts of KPIs with a value and of data points with a target."""

    kpis: int
    with_value: int
    derived: int
    reported: int
    with_target: int
    on_target: int


class Indicators(BaseModel):
    """All 91 KPIs of a city in a period."""

    city: str
    period: str
    summary: IndicatorSummary
    indicators: list[IndicatorJson]


class NewestReading(BaseModel):
    """The newest reading of a quantity, in the catalogue's unit."""

    at: str
    value: float | None
    unit: str


class DeviceStateJson(DeviceJson):
    """A registered device and its state."""

    state: Literal["ok", "silent", "unheard"]
    heard: str | None = Field(description="Time of the newest reading, RFC 3339 UTC; null for none in 40 days.")
    withheld: bool = Field(description="Position and values are left out: it may be the meter of a household.")
    newest: dict[str, NewestReading]
    suspect_days: int = Field(0, description="How many of the last 30 days its readings differed from its neighbours'.")


class Unregistered(BaseModel):
    """A device that sends and is not in the city file: it enters no KPI."""

    id: str
    heard: str
    nearest: str = Field(description="The most similar registered id; empty where none is similar.")
    command: str = Field(description="The command that registers it in its city file.")


class Devices(BaseModel):
    """The registered devices of a city, and those that send without being registered."""

    city: str
    at: str
    counts: dict[str, int]
    devices: list[DeviceStateJson]
    unregistered: list[Unregistered]
    judged: bool = Field(description="Whether suspect stations are known; false in the first seconds of a server.")


class SeriesPart(BaseModel):
    """The values of one part as columns of equal length, oldest first."""

    part: str
    period: list[str]
    start: list[str]
    end: list[str]
    value: list[float | None]
    unit: list[str]
    coverage: list[float]
    status: list[str]
    n_devices: list[int]
    revision: list[int]
    changed: list[str] = Field(description="When it got this value, RFC 3339 UTC.")
    previous: list[float | None] = Field(description="The value before the last change, where it is stored.")
    method: list[str] = Field(description="Values of different methods do not compare.")


class Series(BaseModel):
    """A KPI over time."""

    city: str
    code: str
    kind: str
    series: list[SeriesPart]


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok", "ready"]


class Problem(BaseModel):
    """An error (RFC 9457). `detail` states what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = Field(default=None, description="Each invalid input: where, and why.")
