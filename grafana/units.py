"""Units of the catalogue as Grafana names them."""

from __future__ import annotations

_UNITS = {
    "%": "percent",
    "B": "bytes",
    "Cel": "celsius",
    "W": "watt",
    "kW": "kwatt",
    "count": "short",
    "dBm": "dBm",
    "dB": "dB",
    "kWh": "kwatth",
    "ms": "ms",
    "s": "s",
    "share": "percentunit",
    "ug/m3": "conμgm3",
    "/": "none",
    "": "none",
    "ago": "dateTimeFromNow",
    "duration": "dtdurations",
    "days": "suffix: days",
}


def unit_id(unit: str) -> str:
    """Grafana's name for a unit of ours; a unit that Grafana lacks is written after the number."""
    return _UNITS.get(unit, f"suffix: {unit}")


# Units as a column of words shows them, where the catalogue's own spelling is for machines.
UNIT_WORDS = {"ug/m3": "µg/m³", "/": "–", "kWh/yr/capita": "kWh/yr each", "tonnes eCO2/capita": "t CO₂e each"}
