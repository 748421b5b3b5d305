"""KPI values as NGSI-LD entities of the smart data model `KeyPerformanceIndicator`. Pure.

A missing value has no entity, because NGSI-LD has no null. Coverage, status, revision and notes are additional
attributes, so that an entity contains as much as the API's answers.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kpi_derivation.catalogue import KPIS
from registry.city import City
from reporting.figures.reported import is_reported, plain_part
from reporting.scoring import Scored
from telemetry.kpi_value import StoredKpi
from telemetry.periods import PeriodKind, iso

CONTEXT = [
    "https://raw.githubusercontent.com/smart-data-models/dataModel.KeyPerformanceIndicator/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld",
]
# Common codes of UN/CEFACT Recommendation 20; a unit without one is given as text only.
UNIT_CODES = {"%": "P1", "ug/m3": "GQ", "kWh": "KWH", "minutes": "MIN", "years": "ANN", "count": "C62", "number": "C62"}
_FREQUENCY: dict[PeriodKind, str] = {
    "year": "yearly", "quarter": "quarterly", "month": "monthly", "day": "daily", "24h": "hourly", "365d": "daily",
}  # fmt: skip
# The four bands in the terms of the model.
_STANDING = {4: "veryGood", 3: "good", 2: "fair", 1: "bad"}


def entity(stored: StoredKpi, city: City, licence: str | None, scored: Scored | None = None) -> dict[str, Any] | None:
    """One value as an entity; None where there is none. `scored`: against the city's own target."""
    v = stored.kpi
    if v.value is None:
        return None
    kpi, part = KPIS[v.code], plain_part(v)
    reported = is_reported(v)
    plain: dict[str, Any] = {
        "name": f"{kpi.name}: {part}" if part else kpi.name,
        "alternateName": kpi.code_spaced,
        "description": kpi.definition,
        "category": ["quantitative"],
        "process": kpi.category,
        "organization": city.city.name,
        "areaServed": city.city.name,
        "calculationFrequency": _FREQUENCY[v.kind],
        "calculationMethod": "manual" if reported else "automatic",
        "calculationFormula": v.method,
        "calculationPeriod": {"from": _date(v.start, city.zone), "to": _date(v.end - 1, city.zone)},
        "calculatedBy": city.city.name if reported else "CityVitals",
        "updatedAt": _time(stored.updated),
        "coverage": v.coverage,
        "status": v.status,
        "revision": v.revision,
        "numberOfDevices": v.n_devices,
    }
    if scored:
        target = scored.target
        plain["currentStanding"] = _STANDING[scored.points]
        plain["businessTarget"] = f"{target.value:g} {v.unit}, the city's own" + (
            f" ({target.source})" if target.source else ""
        )
    plain |= {name: text for name, text in (("notes", v.notes), ("license", licence)) if text}
    value = {"type": "Property", "value": v.value, "observedAt": iso(v.end), "unitText": _property(v.unit)}
    if v.unit in UNIT_CODES:
        value["unitCode"] = UNIT_CODES[v.unit]
    return {
        "id": _urn(stored),
        "type": "KeyPerformanceIndicator",
        "kpiValue": value,
        **{name: _property(text) for name, text in plain.items()},
        "@context": CONTEXT,
    }


def _property(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"type": "Property", "value": value}


def _urn(stored: StoredKpi) -> str:
    v = stored.kpi
    words = [v.city, v.code, *([v.part] if v.part else []), v.period]
    return "urn:ngsi-ld:KeyPerformanceIndicator:" + ":".join(re.sub(r"[^A-Za-z0-9._:-]", "_", w) for w in words)


def _date(t: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(t / 1000, tz=zone).date().isoformat()


def _time(t: int) -> dict[str, str]:
    """A typed time of NGSI-LD."""
    text = datetime.fromtimestamp(t // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"@type": "DateTime", "@value": text}
