"""A value of a message as a number with its unit: plain, as text, or as an object with labels. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from telemetry.errors import Rejected

_TEXT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.I)
# What devices and back-ends send for "no value now".
_NOTHING = frozenset({"", "null", "none", "unknown", "unavailable", "n/a", "-"})
_VALUES = ("value", "v", "Value", "val", "numValue", "result", "@value")
_UNITS = (
    "unit", "u", "unitCode", "units", "uom", "Unit", "unit_of_measurement", "unitOfMeasure", "unitText", "unitLabel",
)  # fmt: skip
_TIMES = ("time", "timestamp", "observedAt", "phenomenonTime", "t")
_LABELS = frozenset((*_VALUES, *_UNITS, *_TIMES, "multiplier", "name", "n", "type", "context"))


class Labelled(NamedTuple):
    """A value with what the message states beside it: unit, time, power of ten."""

    value: Any
    unit: str | None = None
    time: Any = None
    tens: int = 0


def labelled(item: dict[str, Any]) -> Labelled | None:
    """An object that is one value with labels; None for others. Raises Rejected for a unit that is not text."""
    label = next((label for label in _VALUES if label in item), None)
    if label is None:
        return None
    value = item[label]
    if isinstance(value, dict):
        return labelled(value)
    unit: Any = next((item[label] for label in _UNITS if item.get(label) is not None), None)
    tens = item.get("multiplier", 0)
    if isinstance(unit, dict):  # OCPP 2.0.1: {"unit": "Wh", "multiplier": 3}
        tens = unit.get("multiplier", tens)
        unit = unit.get("unit")
    if unit is not None and not isinstance(unit, str):
        raise Rejected("has a unit that is not text")
    if isinstance(tens, bool) or not isinstance(tens, int) or abs(tens) > 30:
        raise Rejected(f"has a multiplier {str(tens)[:20]} that is not a whole power of ten")
    time = next((item[label] for label in _TIMES if label in item), None)
    return Labelled(value, unit, time, tens)


def looks_numeric(item: object) -> bool:
    """Whether a member of a message could be a reading: a number, or text that is one, or an object with a value."""
    if isinstance(item, dict):
        inner = next((item[label] for label in _VALUES if label in item), None)
        return inner is not None and not isinstance(inner, dict) and looks_numeric(inner)
    if isinstance(item, str):
        return _TEXT.fullmatch(item.strip()) is not None
    return isinstance(item, int | float) and not isinstance(item, bool)


def number(value: object, decimal_comma: bool = False) -> float | None:
    """A finite or infinite number; None for "no value now". Raises Rejected for anything else."""
    if isinstance(value, bool):
        raise Rejected("has no numeric value")
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected("has no numeric value")
    text = value.strip(" \t\r\n\0")
    if text.lower() in _NOTHING:
        return None
    if _TEXT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    if _COMMA.fullmatch(text):
        if decimal_comma:
            return float(text.replace(",", "."))
        raise Rejected(f"= '{text[:20]}' has a decimal comma; set `decimal_comma = true` in this source")
    raise Rejected("has no numeric value")
