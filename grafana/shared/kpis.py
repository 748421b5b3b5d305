"""Names of the catalogue as the dashboards show them."""

from __future__ import annotations

from kpi_derivation.catalogue import KPIS
from telemetry.quantities import QUANTITIES

PARTS = {
    "pm2_5": "PM2.5",
    "pm10": "PM10",
    "no2": "NO₂",
    "o3": "O₃",
    "so2": "SO₂",
    "no2_hours": "NO₂ hours",
    "so2_hours": "SO₂ hours",
}


def part_title(part: str) -> str:
    """A part's own name."""
    return PARTS.get(part) or (QUANTITIES[part].title if part in QUANTITIES else part.replace("_", " "))


KPI_WORDS = {code: kpi.name for code, kpi in KPIS.items()}
_OWN_WORDS = {"-": "–"} | {part: part_title(part) for kpi in KPIS.values() for part in kpi.parts} | PARTS


def reported(part: str) -> str:
    """The part under which a city's reported figure is stored."""
    return "reported" if part == "-" else f"{part}:reported"


PART_WORDS = _OWN_WORDS | {
    reported(part): "reported" if part == "-" else f"{word}, reported" for part, word in _OWN_WORDS.items()
}


def either(part: str) -> str:
    """Regular expression of a part: derived, or reported by the city."""
    return f"{part}|{reported(part)}"


STATUS_WORDS = {"not_applicable": "not applicable", "no_data": "no data"}
# Sub-dimensions as groups of codes: the pattern, the name, and how many U4SSC KPIs it has (None: local ones).
GROUPS = (
    ("EC:ICT", "ICT", "EC:ICT"),
    ("EC:P", "Productivity", "EC:P"),
    ("EC:I", "Infrastructure", "EC:I"),
    ("EN:EN", "Environment", "EN:EN"),
    ("EN:E", "Energy", "EN:E"),
    ("SC:EH", "Education, health", "SC:EH"),
    ("SC:SH", "Safety, housing", "SC:SH"),
    ("LOCAL", "Local", "LOCAL"),
)


def size_of(prefix: str) -> int:
    """How many KPIs of the catalogue have codes that begin so."""
    return sum(code.startswith(f"{prefix}:") for code in KPIS)
