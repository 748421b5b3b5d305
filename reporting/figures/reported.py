"""A city's reported figure, and its form in the store beside derived values. Pure.

It is stored as a KPI value of a year: the quality class is in its method (`reported/survey`), its source in its notes,
which only this module writes and parses. Where the KPI is also derived from readings, the reported figure has the part
`reported` (or `pm2_5:reported`), so that neither overwrites the other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from kpi_derivation.catalogue import DERIVATIONS, KPIS
from reporting.figures.points import unit_of
from telemetry.kpi_value import KpiValue
from telemetry.periods import Period, parse_period

# The six classes of the verification template (Verification Manual p163), paraphrased, best first.
QUALITY = {
    "measured": "measured accurately",
    "survey": "extrapolated from a survey of inhabitants",
    "higher-level": "taken down from data of a higher level (region, country)",
    "assumed": "estimated on assumptions",
    "personal": "a person's own estimate",
    "unknown": "not known, or not traceable",
}
METHOD = "reported/"
_BESIDE = "reported"
_NOTES = re.compile(
    r"(?:(?P<numerator>\S+) / (?P<denominator>\S+); )?source: (?P<source>.*?)(?:; remark: (?P<remark>.*))?"
)


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one year. `value` is in the catalogue's unit; `line`: its line in the file, 0 elsewhere."""

    code: str
    part: str = ""
    year: int
    value: float
    numerator: float | None = None
    denominator: float | None = None
    quality: str
    source: str
    remark: str = ""
    line: int = 0

    @property
    def unit(self) -> str:
        """The unit of `value`."""
        return unit_of(KPIS[self.code], self.part)


def stored_part(code: str, part: str) -> str:
    """The part under which a reported figure is stored."""
    if code not in DERIVATIONS:
        return part
    return f"{part}:{_BESIDE}" if part else _BESIDE


def is_reported(value: KpiValue) -> bool:
    """Whether a stored value is a reported figure."""
    return value.method.startswith(METHOD)


def plain_part(value: KpiValue) -> str:
    """The data point of a stored value, reported or derived."""
    if is_reported(value):
        return value.part.removesuffix(_BESIDE).removesuffix(":") if value.part.endswith(_BESIDE) else value.part
    return value.part


def as_value(figure: Reported, city: str, zone: ZoneInfo) -> KpiValue:
    """The figure as a stored value: of the whole year, final, with the coverage that the city states."""
    year = _year(figure.year, zone)
    return KpiValue(
        city=city, code=figure.code, part=stored_part(figure.code, figure.part), period=year.label, kind=year.kind,
        start=year.start, end=year.end, value=figure.value, unit=figure.unit, coverage=1.0, status="final",
        n_devices=0, method=METHOD + figure.quality, notes=_notes(figure),
    )  # fmt: skip


@lru_cache(maxsize=1000)
def _year(year: int, zone: ZoneInfo) -> Period:
    return parse_period(f"{year:04}", zone)


def _notes(figure: Reported) -> str:
    ratio = "" if figure.denominator is None else f"{figure.numerator!r} / {figure.denominator!r}; "
    return f"{ratio}source: {figure.source}" + (f"; remark: {figure.remark}" if figure.remark else "")


def from_value(value: KpiValue) -> Reported:
    """The figure of a stored value. Raises ValueError for a value that is not a reported figure."""
    found = _NOTES.fullmatch(value.notes)
    if value.value is None or not is_reported(value) or not found:
        raise ValueError(f"{value.code} {value.part} {value.period} is not a reported figure")
    return Reported(
        code=value.code, part=plain_part(value), year=int(value.period), value=value.value,
        numerator=_float(found["numerator"]), denominator=_float(found["denominator"]),
        quality=value.method.removeprefix(METHOD), source=found["source"], remark=found["remark"] or "",
    )  # fmt: skip


def _float(text: str | None) -> float | None:
    return None if text is None else float(text)
