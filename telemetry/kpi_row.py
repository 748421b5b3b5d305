"""The fields of a stored KPI value, read from its two types: name, type, and whether it may be missing.

From this one description the stores make their columns, their line protocol and their reads, and the API its model:
a new field of `KpiValue` is one line there.
"""

from __future__ import annotations

from operator import attrgetter
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from telemetry.kpi_value import KpiValue, StoredKpi


class Field(NamedTuple):
    """`type`: int, float or str. `nullable`: None where it does not exist. `default`: of rows stored without it."""

    name: str
    type: type[int] | type[float] | type[str]
    nullable: bool = False
    default: Any = None


def _field(of: type[msgspec.Struct], info: msgspec.structs.FieldInfo) -> Field:
    hint = get_type_hints(of)[info.name]
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if get_origin(hint) is not Literal else [str]
    plain = kinds[0] if kinds else hint
    default = None if info.default is msgspec.NODEFAULT else info.default
    return Field(info.name, plain, NoneType in get_args(hint), default)


VALUE: tuple[Field, ...] = tuple(_field(KpiValue, info) for info in msgspec.structs.fields(KpiValue))
BESIDE: tuple[Field, ...] = tuple(
    _field(StoredKpi, info) for info in msgspec.structs.fields(StoredKpi) if info.name != "kpi"
)
IDENTITY = ("city", "code", "part", "kind", "time")  # what a rewrite replaces
# All of a row: the value's fields, the time it is stored under, and what is stored beside it.
FIELDS = (*VALUE, Field("time", int), *BESIDE)
_NAMES = tuple(field.name for field in FIELDS)
_TAKEN = attrgetter(*(f"kpi.{field.name}" for field in VALUE), "kpi.time", *(field.name for field in BESIDE))


def row_of(stored: StoredKpi) -> dict[str, Any]:
    """The fields of a stored value, by name."""
    return dict(zip(_NAMES, _TAKEN(stored), strict=True))


def value_of(row: dict[str, Any]) -> StoredKpi:
    """The stored value of a row of `FIELDS`."""
    kpi = KpiValue(**{field.name: row[field.name] for field in VALUE})
    return StoredKpi(kpi=kpi, **{field.name: row[field.name] for field in BESIDE})
