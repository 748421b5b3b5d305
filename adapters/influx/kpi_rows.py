"""KPI values as points of InfluxDB: which of their fields are tags and fields, made from their one description.

Tags are the identity; `kind` is the tag `period`, and `period`, `start`, `end` are the fields `label`, `start_t`,
`end_t`. A field that may be missing has a whole number beside it that shows whether it is there, because InfluxDB keeps
the old value in a field that a later write omits.
"""

from __future__ import annotations

import math
from typing import Any

from telemetry.kpi_row import FIELDS, Field, value_of
from telemetry.kpi_value import StoredKpi

TAGS = {"city": "city", "code": "code", "part": "part", "kind": "period"}
_NAMES = {"period": "label", "start": "start_t", "end": "end_t"}
_THERE = {"value": "valued", "previous": "replaced"}  # others: has_<name>

_OTHERS = tuple(field for field in FIELDS if field.name not in (*TAGS, "time"))
_NULLABLE = tuple(field for field in _OTHERS if field.nullable)


def _name(field: Field) -> str:
    return _NAMES.get(field.name, field.name)


def _there(field: Field) -> str:
    return _THERE.get(field.name, f"has_{field.name}")


def _of_type(kind: type) -> tuple[Field, ...]:
    return tuple(field for field in _OTHERS if field.type is kind)


INTS = (*map(_there, _NULLABLE), *map(_name, _of_type(int)))
FLOATS = tuple(map(_name, _of_type(float)))
TEXTS = tuple(map(_name, _of_type(str)))
# Every row has these: one that lacks some is being written (InfluxDB 1 returns a new point field by field).
ALWAYS = tuple(_name(f) for f in _OTHERS if f.type is not float and not f.nullable and f.default is None)


def fields_of(row: dict[str, Any]) -> tuple[dict[str, float], dict[str, int], dict[str, str]]:
    """Floats, whole numbers and texts of a row; a number that is not finite does not exist."""
    floats = {_name(f): row[f.name] for f in _of_type(float) if row[f.name] is not None and math.isfinite(row[f.name])}
    ints = {_there(f): int(_name(f) in floats) for f in _NULLABLE}
    ints |= {_name(f): row[f.name] for f in _of_type(int)}
    return floats, ints, {_name(f): row[f.name] for f in _of_type(str)}


def stored_kpi(tags: dict[str, str], time: int, found: dict[str, Any]) -> StoredKpi:
    """The value of a point: `tags` by our names, `found` by the names of INTS, FLOATS and TEXTS."""
    row: dict[str, Any] = {**tags, "time": time}
    for field in _OTHERS:
        value = found[_name(field)]
        if field.nullable:
            row[field.name] = value if found[_there(field)] else None
        else:
            row[field.name] = field.default if value is None else value
    return value_of(row)
