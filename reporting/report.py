"""Yearly figures of a CSV file or a workbook, checked by the verifiers' rules, stored beside derived values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.store import Store
from kpi_derivation.catalogue import KPIS
from kpi_derivation.engine.values import revise
from registry.city import City
from reporting.dashboard_rows import put_rows
from reporting.figures.figures import official
from reporting.figures.file import read_figures
from reporting.figures.points import Point
from reporting.figures.reported import Reported, as_value, is_reported
from reporting.figures.rules import MOST_NOT_REPORTED, Context, Finding, check
from reporting.figures.stored import figures_of, reported_of
from reporting.files.workbook import read_workbook
from telemetry.errors import UsageError, cause
from telemetry.kpi_value import KpiQuery


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a report: number of figures, how many are new or changed, and findings that a verifier would check.

    `reported`: by year, how many of the 91 KPIs have a figure now.
    """

    figures: int
    changed: int
    years: list[int]
    reported: dict[int, int]
    findings: list[Finding]


def report(store: Store, city: City, path: Path, now: int, strict: bool = False) -> Outcome:
    """Check and store the figures of a file, as `report_figures` does."""
    return report_figures(store, city, figures_of_file(path), str(path), now, strict)


def figures_of_file(path: Path) -> list[Reported]:
    """The figures of a filled form. Raises UsageError."""
    return figures_in(_bytes(path), str(path))


def figures_in(data: bytes, path: str) -> list[Reported]:
    """The figures of a filled form: a workbook, or CSV in UTF-8. Raises UsageError; `path`: its name in sentences."""
    if data[:2] == b"PK":
        return read_workbook(data, path)
    try:
        return read_figures(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}. Save it as CSV in UTF-8, or as .xlsx.") from None


def report_figures(
    store: Store, city: City, given: Sequence[Reported], path: str, now: int, strict: bool = False
) -> Outcome:
    """Check and store figures, all or none. `now`: ms UTC; `path`: what they come from, in sentences.

    `strict` rejects figures to be checked, too. Raises UsageError with a sentence for every rejected figure.
    """
    findings = checked(store, city, given, path, strict)
    return outcome(store, city, given, _store(store, city, given, now), findings)


def checked(store: Store, city: City, given: Sequence[Reported], path: str, strict: bool = False) -> list[Finding]:
    """What a verifier would check. Raises UsageError with a sentence for every figure that would be rejected."""
    if not given:
        raise UsageError(f"{path} contains no figures; fill in at least one row below the headings.")
    findings = findings_of(store, city, given)
    lines = {(f.code, f.part, f.year): f.line for f in given}
    rejected = [f for f in findings if f.rejected or strict]
    if rejected:
        raise UsageError("\n".join(_sentence(f, path, lines) for f in rejected))
    return findings


def findings_of(store: Store, city: City, given: Sequence[Reported]) -> list[Finding]:
    """All findings on figures, together with those that are stored."""
    known = reported_of(store, city)
    return [f for year in sorted({f.year for f in given}) for f in _check_year(store, city, year, given, known)]


def outcome(store: Store, city: City, given: Sequence[Reported], changed: int, findings: list[Finding]) -> Outcome:
    """The result, with the number of KPIs that have a figure now."""
    years = sorted({f.year for f in given})
    return Outcome(
        figures=len(given), changed=changed, years=years, findings=findings,
        reported={year: _with_figure(store, city, year) for year in years},
    )  # fmt: skip


def _with_figure(store: Store, city: City, year: int) -> int:
    """How many of the 91 have a figure, derived or reported."""
    _, found = figures_of(store, city, f"{year:04}")
    return len({f.code for f in official(found) if f.value is not None})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}; name a CSV file or workbook of yearly figures.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}.") from None


def _check_year(
    store: Store, city: City, year: int, given: Sequence[Reported], known: Sequence[Reported]
) -> list[Finding]:
    """Findings of a year's figures, together with those stored already."""
    merged: dict[Point, Reported] = {(f.code, f.part): f for f in [*known, *given] if f.year == year}
    earlier = {(f.code, f.part, f.year): f for f in [*known, *given]}
    context = Context(
        denominators={name: getattr(city.city, name) for name in ("population", "households")},
        earlier=list(earlier.values()),
        derived=_derived(store, city, year),
    )
    mine = {(f.code, f.part) for f in given if f.year == year}
    touched = {code for code, _ in mine}
    return [f for f in check(list(merged.values()), context) if f.rejected or f.code in touched]


def _derived(store: Store, city: City, year: int) -> dict[Point, float]:
    rows = [v.kpi for v in store.kpis(KpiQuery(city.id, ["year"])) if v.kpi.period == f"{year:04}"]
    return {(v.code, v.part): v.value for v in rows if v.value is not None and not is_reported(v)}


def _store(store: Store, city: City, given: Sequence[Reported], now: int) -> int:
    """Store figures; one that differs from the stored one is a new revision. Returns how many are new or differ."""
    old = {v.kpi.identity: v for v in store.kpis(KpiQuery(city.id, ["year"]))}
    values = [as_value(f, city.id, city.zone) for f in given]
    changed = [v for v in (revise(old.get(value.identity), value, now, 0.0) for value in values) if v is not None]
    store.put_kpis(changed)
    put_rows(store, (old | {v.kpi.identity: v for v in changed}).values(), city, city)
    return len(changed)


def _sentence(f: Finding, path: str, lines: Mapping[tuple[str, str, int], int]) -> str:
    line = lines.get((f.code, f.part, f.year))
    row = "row" if path.endswith(".xlsx") else "line"
    place = f"{path}, {row} {line}" if line else f"{path} (with the stored figures of {f.year})"
    page = f", {f.page}" if f.page else ""
    return f"{place}: {f.code} {f.part}".rstrip() + f": {f.text} (rule: {f.rule}{page})."


def as_text(outcome: Outcome, city: City, stored: str = "stored") -> str:
    """The result in sentences. `stored`: what was done with the figures."""
    years = ", ".join(map(str, outcome.years))
    lines = [f"{outcome.figures} figures of {city.city.name} for {years} {stored}, {outcome.changed} new or changed."]
    for year, count in outcome.reported.items():
        few = "; a verifier returns it where more than 20 % are missing" if count < 91 * (1 - MOST_NOT_REPORTED) else ""
        lines.append(f"{year}: {count} of 91 KPIs have a figure now{few}.")
    for f in outcome.findings:
        name = f"{f.code} {f.part}".rstrip()
        lines.append(f"check {name} ({KPIS[f.code].name}, {f.year}): {f.text} (rule: {f.rule}, {f.page})".rstrip())
    return "\n".join(lines) + "\n"
