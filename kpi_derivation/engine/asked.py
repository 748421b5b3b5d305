"""What a derivation reads of a city before there is any data: the record of a run on empty periods. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, get_args

import numpy as np

from kpi_derivation.engine.days.demand import Demand
from kpi_derivation.engine.reads import Reads
from kpi_derivation.engine.sums import Sums
from kpi_derivation.engine.view import COLUMNS, HOUR_MS, Part, View
from registry.city import City, DeviceKind
from telemetry.periods import calendar_period
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray

Derive = Callable[[View], list[Part]]


def asked(derive: Derive, city: City, index: dict[Any, Any]) -> Reads:
    """What `derive` reads of a year, a day and 24 hours of the city without any reading. `index`: see View."""
    reads = Reads()
    for period in (calendar_period("year", _DAY, city.zone), calendar_period("day", _DAY, city.zone)):
        for kind in {period.kind, "24h" if period.kind == "day" else period.kind}:
            view = View(city, period._replace(kind=kind), 0.0, _NOTHING, _no_days, _no_hours, _no_demand, {}, {}, index)
            reads.update(view.recording(derive)[1])
    return reads


def asked_of_any_city(derive: Derive) -> Reads:
    """What `derive` reads of a city that has every kind of device with every quantity, and of one that has none."""
    reads = Reads()
    for city in _cities():
        reads.update(asked(derive, city, {}))
    return reads


_DAY = date(2001, 1, 1)
_NOTHING = Sums({}, lambda _: np.empty((0, len(COLUMNS))))


class _NoDays(dict[str, FloatArray]):
    """Any column of days without data."""

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__()
        self._shape = shape

    def __missing__(self, name: str) -> FloatArray:
        zero = name in COLUMNS
        self[name] = np.full(self._shape, 0.0 if zero else np.nan)
        return self[name]


def _no_days(devices: Sequence[str], _quantity: str, first: int, last: int) -> dict[str, FloatArray]:
    return _NoDays((len(devices), last + 1 - first))


def _no_hours(devices: Sequence[str], _quantity: str, start: int, end: int) -> FloatArray:
    return np.full((len(devices), round((end - start) / HOUR_MS)), np.nan)


def _no_demand(_first: int, _last: int) -> Demand:
    return Demand(None, np.empty(0), 0.0)


@cache
def _cities() -> tuple[City, ...]:
    base = {"id": "any", "name": "Any", "country": "GB", "timezone": "UTC"}
    every = sorted(QUANTITIES)
    devices = [{"id": kind, "kind": kind, "quantities": every} for kind in get_args(DeviceKind)]
    return tuple(City.model_validate({"city": base, "device": some}) for some in ([], devices))
