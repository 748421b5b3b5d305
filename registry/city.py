"""The city file, CITY.toml: denominators, rules and the device registry.

Unknown keys are errors, except under [city.extra]; a key that ends in `_source` or `_year` documents its neighbour.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from registry.target import Feeder, Practice, TargetEntry
from telemetry.errors import nearest
from telemetry.quantities import QUANTITIES
from telemetry.series import Series
from telemetry.topics import valid_id

DeviceKind = Literal[
    "air_reference",
    "air_lowcost",
    "electricity_meter",
    "ev_charger",
    "noise",
    "water_meter",
    "heat_meter",
    "weather",
    "outage_log",
    "water_quality",
    "water_abstraction",
    "wastewater_meter",
    "weighbridge",
    "emf_probe",
    "traffic_counter",
    "travel_time",
]

# What a meter measures where its kind does not define it: water supplied into the network or billed to customers,
# electricity generated, the use of a public building or of homes. Of a wastewater meter the stage behind which it
# stands, of a weighbridge the way in which its waste is treated.
Role = Literal[
    "", "residential", "public_building", "generation", "supply", "billed",
    "collected", "primary", "secondary", "tertiary",
    "landfill", "burnt", "incinerated", "open dump", "recycled", "other",
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def _time_zones() -> frozenset[str]:
    """Read once: it takes a walk over the folder of the tz database."""
    return frozenset(available_timezones())


def _with_zone(value: str) -> str:
    """The text, where it is a time with a zone. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"'{value}' is not a time; write it like 2026-03-01T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"'{value}' has no time zone; write it like 2026-03-01T12:00:00Z")
    return value


def _date(value: str | None) -> str | None:
    """The text, where it is a date. Raises ValueError."""
    if value is not None:
        try:
            date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is not a date; write it like 2026-03-01") from None
    return value


class Rules(_Strict):
    """Named rules of the derivations, with the defaults of docs/kpis.md. Shares are 0..1."""

    hour_capture: float = Field(0.75, ge=0, le=1)
    period_capture: float = Field(0.75, ge=0, le=1)
    final_after_h: float = Field(72.0, ge=0)
    revision_hold_h: float = Field(1.0, ge=0)
    mixed_air_kinds: bool = False
    # An interruption counts where it lasts longer; the classes in which interruptions are stored allow these.
    sustained_interruption_min: Literal[0, 1, 3, 5] = 5
    # Whether the electricity meters already include the energy of charging sessions.
    charging_behind_meters: bool = True
    # Whether customers without a meter are assumed to use as much as those with one; the value's notes state it.
    estimate_unmetered: bool = False
    # Whether the electricity meters measure all use, so that own generation is within what they count.
    generation_in_load: bool = False
    noise_limit_lden: float = Field(55.0, gt=0)
    # ICNIRP 2020, general public, 2 to 300 GHz; several countries have lower limits.
    emf_limit_v_per_m: float = Field(61.0, gt=0)
    # 13,000 km a year at 20 kWh per 100 km (Austria: faktencheck-energiewende.at).
    electric_car_kwh_per_year: float = Field(2600.0, gt=0)
    population_weighted_air: bool = False
    exclude_suspect: bool = False


class Calibration(_Strict):
    """Corrected value = gain * raw + offset + humidity * RH, for one quantity of a device, from `valid_from` on."""

    quantity: str
    valid_from: str
    gain: float = Field(1.0, gt=0, allow_inf_nan=False)
    offset: float = Field(0.0, allow_inf_nan=False)
    humidity: float = Field(0.0, allow_inf_nan=False)
    version: int = Field(1, ge=1)
    note: str = ""

    @field_validator("quantity")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in QUANTITIES:
            raise ValueError(f"unknown quantity '{value}'; {nearest(value, QUANTITIES)}")
        return value

    @field_validator("valid_from")
    @classmethod
    def _date(cls, value: str) -> str:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is not a valid date; use 2026-03-01 or 2026-03-01T12:00:00Z") from None
        return value


class Fault(_Strict):
    """A fault that the operator confirms: readings of a quantity on these days (the last included) are in no KPI."""

    quantity: str
    since: str
    until: str | None = None
    note: str = ""

    @field_validator("quantity")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in QUANTITIES:
            raise ValueError(f"unknown quantity '{value}'; {nearest(value, QUANTITIES)}")
        return value

    @field_validator("since", "until")
    @classmethod
    def _day(cls, value: str | None) -> str | None:
        return _date(value)


class MeterChange(_Strict):
    """A meter was replaced: at this time, with the old one's last reading and the new one's first, where known."""

    at: str
    quantity: str = "energy_total"
    last: float | None = Field(None, ge=0, allow_inf_nan=False)
    first: float | None = Field(None, ge=0, allow_inf_nan=False)

    @field_validator("at")
    @classmethod
    def _moment(cls, value: str) -> str:
        return _with_zone(value)

    @property
    def time(self) -> int:
        """`at` in ms UTC."""
        return round(datetime.fromisoformat(self.at).timestamp() * 1000)


class Device(_Strict):
    """One registered device."""

    id: str
    site: str = ""
    kind: DeviceKind
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)
    quantities: list[str]
    interval_s: float | None = Field(None, gt=0)
    connectors: int = Field(1, ge=1)
    smart: bool = True
    role: Role = ""
    customers: float = Field(1.0, gt=0)
    max_kw: float | None = Field(None, gt=0)  # the rating of a meter's connection
    population: float | None = Field(None, gt=0)
    demand_response: bool = False
    street_km: float | None = Field(None, gt=0)  # of the major street that a traffic counter watches
    calibration: list[Calibration] = []
    # Gases that it measures by volume (ppb, ppm): limits of other rules than the publisher's convert these themselves.
    in_ppb: list[str] = []
    gateway: list[str] = []  # that may send its windows; empty: the first that does
    meter_change: list[MeterChange] = []
    fault: list[Fault] = []
    # When the device was there; before and after, nothing is expected of it. Dates are of the city's time.
    since: str | None = None
    until: str | None = None
    # Plausible values by quantity, in its unit: [lowest, highest], in place of the quantity's own.
    plausible: dict[str, tuple[float, float]] = {}
    # Where a register starts again at zero, by quantity, in its unit: 10000 for one that shows up to 9999.99 kWh,
    # 4294967.296 for 32 bits of Wh.
    rollover: dict[str, float] = {}

    @field_validator("rollover")
    @classmethod
    def _registers(cls, value: dict[str, float]) -> dict[str, float]:
        for name, size in value.items():
            counters = [q.id for q in QUANTITIES.values() if q.kind == "counter"]
            if name not in counters:
                raise ValueError(f"'{name}' is not the quantity of a register; {nearest(name, counters)}")
            if not 0 < size < math.inf:
                raise ValueError(f"the rollover of '{name}' must be above 0, in {QUANTITIES[name].unit}")
        return value

    @field_validator("in_ppb")
    @classmethod
    def _gases(cls, value: list[str]) -> list[str]:
        gases = [q.id for q in QUANTITIES.values() if q.ug_per_ppb]
        for name in value:
            if name not in gases:
                raise ValueError(f"'{name}' is not a gas that is converted from ppb; {nearest(name, gases)}")
        return value

    @field_validator("since", "until")
    @classmethod
    def _day(cls, value: str | None) -> str | None:
        return _date(value)

    @field_validator("plausible")
    @classmethod
    def _ranges(cls, value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in value.items():
            if name not in QUANTITIES:
                raise ValueError(f"unknown quantity '{name}'; {nearest(name, QUANTITIES)}")
            if not low < high:
                raise ValueError(f"the plausible range of '{name}' must be [lowest, highest]")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Device:
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"until {self.until} lies before since {self.since}")
        return self

    @field_validator("id")
    @classmethod
    def _id(cls, value: str) -> str:
        if not valid_id(value):
            raise ValueError("an id is 1 to 64 of A-Z a-z 0-9 . _ : - and does not start with a dash")
        return value

    @field_validator("quantities")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for name in value:
            if name not in QUANTITIES:
                raise ValueError(f"unknown quantity '{name}'; {nearest(name, QUANTITIES)}")
        return value

    @field_validator("calibration")
    @classmethod
    def _own(cls, value: list[Calibration], info: ValidationInfo) -> list[Calibration]:
        own, seen = info.data.get("quantities", []), set[tuple[str, str, int]]()
        for entry in value:
            if own and entry.quantity not in own:
                raise ValueError(f"the device does not measure '{entry.quantity}'; {nearest(entry.quantity, own)}")
            if own and entry.humidity and "humidity" not in own:
                raise ValueError("a humidity term needs 'humidity' among the device's own quantities")
            identity = (entry.quantity, entry.valid_from, entry.version)
            if identity in seen:
                raise ValueError(
                    f"{entry.quantity} from {entry.valid_from} is listed twice with version {entry.version}"
                )
            seen.add(identity)
        return value


class Denominators(_Strict):
    """[city]: the denominators of the KPIs. Everything except id, name, country and timezone is optional."""

    id: str
    name: str
    country: str = Field(min_length=2, max_length=2)
    timezone: str
    population: float | None = Field(None, gt=0)
    households: float | None = Field(None, gt=0)
    area_km2: float | None = Field(None, gt=0)
    emission_factor_kg_per_kwh: float | None = Field(None, ge=0)
    emission_factors: dict[str, float] = {}
    renewable_grid_share: float | None = Field(None, ge=0, le=1)
    households_with_electricity: float | None = Field(None, ge=0)
    electricity_meters: float | None = Field(None, gt=0)
    electricity_customers: float | None = Field(None, gt=0)
    demand_response_customers: float | None = Field(None, ge=0)
    water_meters: float | None = Field(None, gt=0)
    ev_charge_points: float | None = Field(None, gt=0)
    public_building_area_m2: float | None = Field(None, gt=0)
    passenger_vehicles: float | None = Field(None, gt=0)
    low_carbon_vehicles: float | None = Field(None, ge=0)
    electricity_network_km: float | None = Field(None, gt=0)
    electricity_monitored_km: float | None = Field(None, ge=0)
    water_network_km: float | None = Field(None, gt=0)
    water_monitored_km: float | None = Field(None, ge=0)
    available_freshwater_m3_per_year: float | None = Field(None, gt=0)
    antenna_sites: float | None = Field(None, gt=0)
    major_streets_km: float | None = Field(None, gt=0)
    # Cities are compared within `group`; `region` is the programme they belong to. The rest finds cities like this one.
    group: str = ""
    region: str = ""
    income_per_capita: float | None = Field(None, gt=0)
    heating_degree_days: float | None = Field(None, ge=0)
    car_share: float | None = Field(None, ge=0)
    gateways: list[str] = []  # that may send windows of its devices; empty: of each device the first that does
    extra: dict[str, Any] = {}

    @field_validator("id")
    @classmethod
    def _id(cls, value: str) -> str:
        if not valid_id(value):
            raise ValueError("a city id is 1 to 64 of A-Z a-z 0-9 . _ : - and does not start with a dash")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in _time_zones():
            raise ValueError(f"'{value}' is not a time zone of the tz database; {nearest(value, _time_zones())}")
        return value


class City(_Strict):
    """A whole CITY.toml."""

    city: Denominators
    rules: Rules = Rules()
    device: list[Device] = []
    target: list[TargetEntry] = []
    feeder: list[Feeder] = []
    practice: list[Practice] = []
    documented: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _separate_documentation(cls, raw: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was in the file
        """Move `<key>_source` and `<key>_year` to `documented` where <key> is a key of [city]."""
        if not isinstance(raw, dict) or not isinstance(raw.get("city"), dict):
            return raw
        plain: dict[str, Any] = {}
        documented = dict(raw.get("documented", {}))
        for key, value in raw["city"].items():
            neighbour = key.removesuffix("_source").removesuffix("_year")
            documents_neighbour = neighbour != key and neighbour in Denominators.model_fields
            (documented if documents_neighbour else plain)[key] = value
        return {**raw, "city": plain, "documented": documented}

    @model_validator(mode="after")
    def _unique(self) -> City:
        seen: set[str] = set()
        for device in self.device:
            if device.id in seen:
                raise ValueError(f"device '{device.id}' is listed twice; every device has one [[device]] entry")
            seen.add(device.id)
        return self

    @model_validator(mode="after")
    def _feeders(self) -> City:
        meters = {d.id for d in self.device if d.kind == "electricity_meter"}
        seen: dict[str, str] = {}
        for feeder in self.feeder:
            for name in feeder.meters:
                if name not in meters:
                    raise ValueError(
                        f"feeder '{feeder.id}': '{name}' is not an electricity meter; {nearest(name, meters)}"
                    )
                if name in seen:
                    raise ValueError(f"meter '{name}' is behind two feeders, '{seen[name]}' and '{feeder.id}'")
                seen[name] = feeder.id
        if len({f.id for f in self.feeder}) != len(self.feeder):
            raise ValueError("two feeders have the same id")
        return self

    @property
    def id(self) -> str:
        """The city's id."""
        return self.city.id

    @property
    def rollovers(self) -> dict[Series, float]:
        """Where the registers of its devices start again at zero, in the quantity's unit."""
        return {Series(self.id, d.id, quantity): size for d in self.device for quantity, size in d.rollover.items()}

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.city.timezone)
