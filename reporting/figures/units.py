"""The unit of a reported figure must be the catalogue's; air in ppm or ppb must be converted first. Pure."""

from __future__ import annotations

from kpi_derivation.catalogue import KPIS
from reporting.figures.points import unit_of
from telemetry.quantities import QUANTITIES

_PARTS = {"ppb": 1.0, "ppm": 1000.0}
_SAME = {"µg/m3": "ug/m3", "μg/m3": "ug/m3", "percent": "%", "l/day/capita": "litres/day/capita", "min": "minutes"}


def check_unit(code: str, part: str, written: str) -> None:
    """Raises ValueError with a sentence where the unit differs. An empty unit means the catalogue's."""
    if not written:
        return
    plain = written.strip().lower().replace("³", "3").replace("²", "2").replace("\u202f", " ")
    unit = unit_of(KPIS[code], part)
    if code == "EN:EN:AQ:1C" and plain in _PARTS:
        raise ValueError(_convert(part, plain))
    if _SAME.get(plain, plain) != unit.lower():
        raise ValueError(f"{code} {part}".rstrip() + f" is in {unit}, not in '{written}'; convert it")


def _convert(part: str, unit: str) -> str:
    factor = QUANTITIES[part].ug_per_ppb  # the publisher's, for a submission
    if factor is None:
        return f"air pollution is in ug/m3; {part} is particulate matter, which cannot be in {unit}"
    return f"air pollution is in ug/m3, not {unit} (p95): multiply {part} by {factor * _PARTS[unit]:g}"
