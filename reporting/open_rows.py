"""KPI values as rows of open data: flat, one row a value, self-describing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kpi_derivation.catalogue import KPIS
from reporting.figures.reported import is_reported, plain_part
from telemetry.kpi_value import StoredKpi, as_json
from telemetry.periods import iso

# Column -> type; the order of the columns.
COLUMNS: dict[str, type] = {
    "city": str, "code": str, "part": str, "name": str, "category": str, "kind": str, "period": str, "start": str,
    "end": str, "value": float, "unit": str, "coverage": float, "status": str, "origin": str, "n_devices": int,
    "revision": int, "previous": float, "method": str, "sdg": str, "updated": str, "licence": str, "notes": str,
    "reason": str,
}  # fmt: skip


def open_rows(values: Iterable[StoredKpi], licence: str | None) -> list[dict[str, Any]]:
    """A row for each value, in the order given; a value that does not exist is None."""
    return [_row(stored, licence) for stored in values]


def _row(stored: StoredKpi, licence: str | None) -> dict[str, Any]:
    v, kpi = stored.kpi, KPIS[stored.kpi.code]
    plain = as_json(v) | {
        "part": plain_part(v),
        "name": kpi.name,
        "category": kpi.category,
        "kind": v.kind,
        "origin": "reported" if is_reported(v) else "derived",
        "previous": stored.previous,
        "sdg": " ".join(kpi.sdg),
        "updated": iso(stored.updated),
        "licence": licence,
    }
    return {name: plain[name] for name in COLUMNS}
