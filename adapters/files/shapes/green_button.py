"""Green Button (NAESB ESPI): the interval readings of an Atom feed in XML.

Columns: `meter` (the title of its usage point, else empty), `start`, `seconds`, `value` and `unit` (with the power of
ten and the unit code of the reading type; without one, Wh as the standard's samples have it), `direction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.files import xml_tree
from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.table import Chunk, InvalidRow
from adapters.files.xml_tree import Element, value

NAMES = ["meter", "start", "seconds", "value", "unit", "direction"]
# Unit codes of ESPI (IEC 61968-9): what is metered.
_UNITS = {"72": "Wh", "38": "W", "119": "ft3", "42": "m3", "134": "l", "128": "gal", "31": "J", "": "Wh"}


def headers(path: Path, options: dict[str, Any]) -> Iterable[Header]:  # noqa: ARG001 - every shape is called so
    """The columns, where the file is a feed with interval readings."""
    feed = xml_tree.root(path, "feed")
    if feed is not None and feed.find(".//IntervalReading") is not None:
        yield Header(NAMES, "", 0)


def read(path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]) -> Iterator[Chunk]:  # noqa: ARG001
    """The readings; a reading's line is its place in the file."""
    feed = xml_tree.root(path, "feed")
    rows: list[list[str]] = []
    invalid: list[InvalidRow] = []
    meter, kind = "", None
    for entry in feed.iter("entry") if feed is not None else ():
        if entry.find(".//UsagePoint") is not None:
            meter = value(entry, "title")
        found = entry.find(".//ReadingType")
        kind = found if found is not None else kind
        for reading in entry.iter("IntervalReading"):
            try:
                rows.append(_row(meter, kind, reading))
            except ValueError as error:
                invalid.append(InvalidRow(len(rows) + len(invalid) + 1, value(reading, "value"), str(error)))
    columns = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in NAMES]
    yield Chunk(path, NAMES, range(1, len(rows) + 1), columns, invalid)


def _row(meter: str, kind: Element | None, reading: Element) -> list[str]:
    power = value(kind, "powerOfTenMultiplier") if kind is not None else ""
    code = value(kind, "uom") if kind is not None else ""
    flow = value(kind, "flowDirection") if kind is not None else ""
    measured = float(value(reading, "value")) * 10.0 ** int(power or 0)
    unit = _UNITS.get(code, f"ESPI unit {code}")
    return [meter, value(reading, "timePeriod/start"), value(reading, "timePeriod/duration"), f"{measured:.12g}", unit,
            flow]  # fmt: skip
