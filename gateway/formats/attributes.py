"""Bare values, one a topic, whose unit comes in a topic beside them (Homie, Home Assistant Statestream).

Options: `value`, the end of the topic of a value ("" where it has none), and `unit`, that of its unit. Units are
cached; their topics are retained, so that a broker delivers them after a restart too.
"""

from __future__ import annotations

from typing import Any

from gateway.formats import Read, plain
from telemetry.errors import UsageError

NEEDS_OTHERS = True
_MOST, _LONGEST = 100_000, 64  # units that are kept, and their length


def reader(options: dict[str, Any]) -> Read:
    """A reader that caches units. Raises UsageError for other options."""
    if set(options) - {"value", "unit"}:
        raise UsageError("The format 'attributes' has the options `value` and `unit`.")
    value_end, unit_end = str(options.get("value", "")), str(options.get("unit", "$unit"))
    units: dict[tuple[str, ...], str] = {}

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:
        name = levels.get("name", "")
        stem, _, end = name.rpartition("/")
        place = tuple(v for k, v in sorted(levels.items()) if k != "name")
        if end == unit_end:
            if len(units) < _MOST and len(payload) <= _LONGEST:
                units[(*place, stem)] = payload.decode("utf-8", "replace").strip(' "')
            return []
        if (value_end and end != value_end) or end.startswith("$"):
            return []
        stem = stem if value_end else name
        quantity = stem or levels.get("device", "value")
        found = plain.read(payload, {"name": quantity})
        unit = units.get((*place, stem))
        return [{quantity: {"value": f[quantity], "unit": unit}} for f in found] if unit is not None else found

    return read
