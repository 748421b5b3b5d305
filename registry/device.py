"""One [[device]] entry of the city file. A city has up to some hundred thousand, so an entry is a slotted dataclass
that pydantic checks, and what entries have in common is stored once: their lists of quantities and what is not stated.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator, model_validator
from pydantic.dataclasses import dataclass

from registry.quantity import Quantity, check_quantities
from telemetry.errors import nearest
from telemetry.quantities import QUANTITIES
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


class Calibration(_Strict):
    """Corrected value = gain * raw + offset + humidity * RH, for one quantity of a device, from `valid_from` on."""

    quantity: Quantity
    valid_from: str
    gain: float = Field(1.0, gt=0, allow_inf_nan=False)
    offset: float = Field(0.0, allow_inf_nan=False)
    humidity: float = Field(0.0, allow_inf_nan=False)
    version: int = Field(1, ge=1)
    note: str = ""

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

    quantity: Quantity
    since: str
    until: str | None = None
    note: str = ""

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


_UNSTATED: dict[str, Any] = {}  # of every device whose entry does not state it; nobody writes into entries


@lru_cache(4096)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """The one tuple of all entries that list the same names."""
    return tuple(sys.intern(name) for name in names)


def _copied(text: str) -> str:
    """A text of its own: that of the parsed file stands among the keys of all its tables, and would keep their memory
    from being used for anything else: 38 MB with 100,000 devices.
    """
    return text.encode().decode()


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Device:
    """One registered device."""

    id: str
    site: str = ""
    kind: DeviceKind
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    quantities: tuple[str, ...]
    interval_s: float | None = Field(default=None, gt=0)
    connectors: int = Field(default=1, ge=1)
    smart: bool = True
    role: Role = ""
    customers: float = Field(default=1.0, gt=0)
    max_kw: float | None = Field(default=None, gt=0)  # the rating of a meter's connection
    population: float | None = Field(default=None, gt=0)
    demand_response: bool = False
    street_km: float | None = Field(default=None, gt=0)  # of the major street that a traffic counter watches
    calibration: tuple[Calibration, ...] = ()
    # Gases that it measures by volume (ppb, ppm): limits of other rules than the publisher's convert these themselves.
    in_ppb: tuple[str, ...] = ()
    gateway: tuple[str, ...] = ()  # that may send its windows; empty: the first that does
    meter_change: tuple[MeterChange, ...] = ()
    fault: tuple[Fault, ...] = ()
    # When the device was there; before and after, nothing is expected of it. Dates are of the city's time.
    since: str | None = None
    until: str | None = None
    # Plausible values by quantity, in its unit: [lowest, highest], in place of the quantity's own.
    plausible: dict[str, tuple[float, float]] = Field(default_factory=lambda: _UNSTATED)
    # Where a register starts again at zero, by quantity, in its unit: 10000 for one that shows up to 9999.99 kWh,
    # 4294967.296 for 32 bits of Wh.
    rollover: dict[str, float] = Field(default_factory=lambda: _UNSTATED)

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
    def _gases(cls, value: tuple[str, ...]) -> tuple[str, ...]:
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
        check_quantities(value)
        for name, (low, high) in value.items():
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
        return _copied(value)

    @field_validator("site")
    @classmethod
    def _site(cls, value: str) -> str:
        return sys.intern(_copied(value))  # many devices may be in one street

    @field_validator("quantities")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_quantities(value)
        return _shared(value)

    @field_validator("calibration")
    @classmethod
    def _own(cls, value: tuple[Calibration, ...], info: ValidationInfo) -> tuple[Calibration, ...]:
        own, seen = info.data.get("quantities", ()), set[tuple[str, str, int]]()
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

    def plain(self, without: Collection[str] = ()) -> dict[str, Any]:
        """What the entry states, as JSON has it."""
        found: dict[str, Any] = _ENTRY.dump_python(self, mode="json", exclude=set(without), exclude_defaults=True)
        return found


_ENTRY = TypeAdapter(Device)
