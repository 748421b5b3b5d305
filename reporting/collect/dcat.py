"""DCAT-AP metadata of each city's feed, as JSON-LD. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registry.city import City

_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}  # fmt: skip
_JSON = "http://publications.europa.eu/resource/authority/file-type/JSON"
_THEME = "http://publications.europa.eu/resource/authority/data-theme/REGI"


def catalogue(cities: Iterable[tuple[City, tuple[str, str] | None]], base: str, version: int) -> dict[str, Any]:
    """One dataset for each city. `cities`: with the first and last day of their values; `base`: URL of the API."""
    return {
        "@context": _CONTEXT,
        "@id": f"{base}/v1/index/catalogue",
        "@type": "dcat:Catalog",
        "dct:title": "U4SSC key performance indicators of cities",
        "dct:description": "Live and reported KPI values with coverage, method and revision.",
        "dcat:dataset": [_dataset(city, span, base, version) for city, span in cities],
    }


def _dataset(city: City, span: tuple[str, str] | None, base: str, version: int) -> dict[str, Any]:
    extra = city.city.extra
    licence = extra.get("licence", extra.get("license"))
    found: dict[str, Any] = {
        "@id": f"{base}/v1/cities/{city.id}",
        "@type": "dcat:Dataset",
        "dct:identifier": city.id,
        "dct:title": f"KPIs of {city.city.name}",
        "dct:description": f"U4SSC key performance indicators of {city.city.name}, {city.city.country}.",
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": city.city.name},
        "dcat:theme": {"@id": _THEME},
        "dcat:keyword": ["U4SSC", "KPI", "smart sustainable city"],
        "dct:spatial": {"@type": "dct:Location", "dct:title": f"{city.city.name}, {city.city.country}"},
        "dcat:distribution": [_distribution(city, base, version, None if licence is None else str(licence))],
    }
    if span:
        limits = {"dcat:startDate": _day(span[0]), "dcat:endDate": _day(span[1])}
        found["dct:temporal"] = {"@type": "dct:PeriodOfTime", **limits}
    return found


def _distribution(city: City, base: str, version: int, licence: str | None) -> dict[str, Any]:
    url = f"{base}/v1/index/kpis?city={city.id}"
    found: dict[str, Any] = {
        "@type": "dcat:Distribution", "dcat:accessURL": {"@id": url}, "dct:format": {"@id": _JSON},
        "dcat:mediaType": "application/json", "dct:title": f"Feed, schema version {version}",
    }  # fmt: skip
    return found | ({"dct:license": licence} if licence else {})


def _day(text: str) -> dict[str, str]:
    return {"@type": "xsd:date", "@value": text}
