"""`python -m tools.kpi_table`: write docs/all-kpis.md, a table of all 91 KPIs; `--check`: exit 1 if not current."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from kpi_derivation.catalogue import DERIVATIONS, Kpi, region_rule
from kpi_derivation.directions import direction_of
from reporting.figures.points import all_points, u4ssc, unit_of
from reporting.files import gbfs, geojson, gtfs
from tools.generated import generated

PAGE = Path(__file__).parents[1] / "docs" / "all-kpis.md"
FROM_FILES = {code: what for module in (geojson, gtfs, gbfs) for code, what in module.GIVES.items()}
BY_CITY_FILE = "kpi_derivation.rules.ratios"
HEAD = """# All 91 KPIs: where each comes from

Generated from the catalogue by `python -m tools.kpi_table`. One row for each of the 112 data points (111 as the
publisher counts them).

- **derived**: from the readings of registered devices, see [KPIs](kpis.md).
- **partial**: derived, but only a part of what the publisher asks for; never scored as the KPI.
- **city file**: two figures of `[city]` are divided.
- **from a file**: `cityvitals kpi gather` computes it from the city's own GeoJSON, GTFS or GBFS files.
- **by hand**: nothing that a sensor or a map shows; a person reports it (`kpi form`, `kpi report`).

*Unit status*: verified with the publisher, secondary, or unconfirmed. *Better*: the direction, with its status; `-` is
neither scored nor ranked. *Region*: what a region's value is made of.
"""


def how(kpi: Kpi) -> str:
    """derived, partial, city file, from a file or by hand."""
    derivation = DERIVATIONS.get(kpi.code)
    if derivation is None:
        return "from a file" if kpi.code in FROM_FILES else "by hand"
    if derivation.derive.__module__ == BY_CITY_FILE:
        return "city file"
    return "partial" if "(partial" in derivation.method else "derived"


def text() -> str:
    """The page."""
    counts: dict[str, int] = {}
    for kpi in u4ssc():
        counts[how(kpi)] = counts.get(how(kpi), 0) + 1
    total = ", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda item: -item[1]))
    return "\n".join([HEAD, f"Of the 91: {total}.\n", *_table(), ""])


def _table() -> Iterator[str]:
    yield "| code | name | data point | how | method or source | unit | unit status | better | region |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for kpi, part in all_points():
        way, direction = how(kpi), direction_of(kpi.code, part)
        method = f"`{kpi.method}`" if kpi.method else FROM_FILES.get(kpi.code, "the city's officers")
        better = f"{direction.better} ({direction.status})" if direction.better else f"- ({direction.status})"
        rule = region_rule(kpi, part)
        cells = (kpi.code, kpi.name, part, way, method, unit_of(kpi, part), kpi.unit_status, better, rule)
        yield "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(generated(PAGE, text, sys.argv[1:]))
