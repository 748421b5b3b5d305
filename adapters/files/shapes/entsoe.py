"""ENTSO-E Transparency Platform: time series of a GL_MarketDocument in XML.

Columns: `area`, `kind` (the process and business type), `type` (the production type, empty for load), `start`,
`seconds`, `value`, `unit`. Positions that are left out repeat the one before them (curve type A03).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.files import xml_tree
from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.table import Chunk
from adapters.files.xml_tree import Element, value
from telemetry.errors import Rejected, UsageError
from telemetry.periods import iso
from telemetry.stamps import read_stamp

NAMES = ["area", "kind", "type", "start", "seconds", "value", "unit"]
_UNITS = {"MAW": "MW", "MWH": "MWh", "KWH": "kWh", "KWT": "kW"}
_RESOLUTION = re.compile(r"PT(\d+)([MH])|P(\d+)D")
_MOST = 400_000  # positions of one period


def headers(path: Path, options: dict[str, Any]) -> Iterable[Header]:  # noqa: ARG001 - every shape is called so
    """The columns, where the file is such a document."""
    if xml_tree.root(path, "GL_MarketDocument") is not None:
        yield Header(NAMES, "", 0)


def read(path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]) -> Iterator[Chunk]:  # noqa: ARG001
    """The values of all series; a value's line is its place in the file. Raises UsageError."""
    document = xml_tree.root(path, "GL_MarketDocument")
    rows: list[list[str]] = []
    process = value(document, "process.processType") if document is not None else ""
    for series in document.iter("TimeSeries") if document is not None else ():
        area = value(series, "outBiddingZone_Domain.mRID") or value(series, "inBiddingZone_Domain.mRID")
        unit = value(series, "quantity_Measure_Unit.name") or value(series, "quantity_Measurement_Unit.name")
        head = [area, f"{process} {value(series, 'businessType')}", value(series, "MktPSRType/psrType")]
        for period in series.iter("Period"):
            try:
                rows += [[*head, *point, _UNITS.get(unit, unit)] for point in _points(period)]
            except (Rejected, ValueError, ArithmeticError) as error:
                raise UsageError(f"{path}: a period that cannot be read: {error}.") from None
    columns = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in NAMES]
    yield Chunk(path, NAMES, range(1, len(rows) + 1), columns)


def _points(period: Element) -> Iterator[list[str]]:
    """Start, seconds and value of each position."""
    step = _step(value(period, "resolution"))
    start, end = (read_stamp(value(period, f"timeInterval/{name}")) for name in ("start", "end"))
    count = (end - start) // step
    if not 0 < count <= _MOST:
        raise ValueError("its time interval is not a whole number of its resolution")
    given = {int(value(point, "position")): value(point, "quantity") for point in period.iter("Point")}
    last = ""
    for place in range(count):
        last = given.get(place + 1, last)
        yield [iso(start + place * step), str(step // 1000), last]


def _step(text: str) -> int:
    found = _RESOLUTION.fullmatch(text)
    if found is None:
        raise ValueError(f"resolution '{text[:20]}' is not known")
    number, letter, days = found.groups()
    size = timedelta(days=int(days)) if days else timedelta(**{"minutes" if letter == "M" else "hours": int(number)})
    return round(size.total_seconds() * 1000)
