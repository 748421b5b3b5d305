"""The city file, CITY.toml: denominators, rules and the device registry.

Unknown keys are errors, except under [city.extra]; a key that ends in `_source` or `_year` documents its neighbour.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from registry.device import Calibration, Device, DeviceKind, Fault, MeterChange, Role
from registry.target import Feeder, Practice, TargetEntry
from telemetry.errors import nearest
from telemetry.series import Series
from telemetry.topics import valid_id

__all__ = ["Calibration", "City", "Denominators", "Device", "DeviceKind", "Fault", "MeterChange", "Role", "Rules"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def _time_zones() -> frozenset[str]:
    """Read once: it takes a walk over the folder of the tz database."""
    return frozenset(available_timezones())


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
    def by_id(self) -> Mapping[str, Device]:
        """The devices by id: one for all that look them up, because each table is 5 MB with 100,000 devices."""
        if (found := self._by_id)[0] is not self.device:  # a copy of the city with other devices
            self.__dict__.pop("_by_id", None)  # which another thread may have done
            found = self._by_id
        return found[1]

    @cached_property
    def _by_id(self) -> tuple[list[Device], dict[str, Device]]:
        return self.device, {d.id: d for d in self.device}

    @property
    def rollovers(self) -> dict[Series, float]:
        """Where the registers of its devices start again at zero, in the quantity's unit."""
        return {Series(self.id, d.id, quantity): size for d in self.device for quantity, size in d.rollover.items()}

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.city.timezone)
