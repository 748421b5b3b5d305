"""A city's yearly figures from the rows of a CSV file or workbook. Pure; the caller reads the file.

Columns, in any order: `code, year, source, quality` and `value`, or `numerator` and `denominator`; optional `part`,
`unit`, `remark`, and `name`, which is ignored. An error is a sentence with file, line and correction; all errors are
reported together.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from kpi_derivation.catalogue import KPIS, Kpi, canonical
from reporting.figures.points import all_points, part_named, unit_of
from reporting.figures.ratio import per, quotient
from reporting.figures.reported import QUALITY, Reported
from reporting.figures.units import check_unit
from telemetry.errors import UsageError, nearest

COLUMNS = ("code", "part", "year", "value", "numerator", "denominator", "unit", "source", "quality", "remark")
_FOR_PEOPLE = ("name",)
_NEEDED = ("code", "year", "source", "quality")
# A line without any of these, as in `blank_form`, is a figure that is not reported.
_FILLED_IN = ("value", "numerator", "denominator", "source", "quality")
_MOST_REPORTED = 20
_YES_NO = {"yes": 1.0, "no": 0.0}

Row = Mapping[str, str]


def read_figures(text: str, name: str) -> list[Reported]:
    """The figures of a file's text. Raises UsageError; `name`: the file's name in its sentences."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip().lower() for cell in next(reader, [])]
    return figures_of(header, ((reader.line_num, cells) for cells in reader), Place(name, "line", 1))


class Place(NamedTuple):
    """Where figures stand: a file's name, what its rows are called, and the number of the row of headings."""

    file: str
    row: str
    head: int

    def at(self, number: int) -> str:
        """The start of a sentence about a row."""
        return f"{self.file}, {self.row} {number}"


def figures_of(header: list[str], rows: Iterable[tuple[int, list[str]]], place: Place) -> list[Reported]:
    """The figures of numbered rows. Raises UsageError with a sentence for each row that is wrong."""
    check_header(header, place.at(place.head))
    found: list[Reported] = []
    wrong: list[str] = []
    for number, cells in rows:
        try:
            row = row_of(header, cells)
            if any(row.get(column) for column in _FILLED_IN):
                found.append(figure_of(row, number))
            elif row.get("unit") and (kpi := canonical(row.get("code", ""))) in KPIS:
                # A number in the column of units is a shifted row, not one without a figure.
                check_unit(kpi, _part_named(kpi, row.get("part", "")), row["unit"])
        except ValueError as error:
            end = "" if str(error).endswith("?") else "."
            wrong.append(f"{place.at(number)}: {error}{end}")
    wrong += _repeated(found, place)
    if wrong:
        more = f"\nand {len(wrong) - _MOST_REPORTED} more." if len(wrong) > _MOST_REPORTED else ""
        raise UsageError("\n".join(wrong[:_MOST_REPORTED]) + more)
    return found


def blank_form(year: int) -> str:
    """An empty form with a line for each of the 112 figures; a line left empty is not reported."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*COLUMNS, "name"))
    for kpi, part in all_points():
        unit = unit_of(kpi, part)
        writer.writerow((kpi.code, part, year, "", "", "", unit, "", "", "", kpi.name))
    return out.getvalue()


def check_header(header: list[str], at: str) -> None:
    """Raises UsageError for an unknown or missing column. `at`: the file and the row, for the sentence."""
    for column in header:
        if column not in COLUMNS and column not in _FOR_PEOPLE:
            raise UsageError(f"{at}: unknown column '{column}'; {nearest(column, COLUMNS)}")
    missing = [column for column in _NEEDED if column not in header]
    if missing or not {"value", "numerator"} & set(header):
        raise UsageError(
            f"{at}: missing {', '.join(missing) or 'value'}; this row names the columns: {','.join(COLUMNS)}."
        )


def row_of(header: list[str], cells: list[str]) -> Row:
    """The cells by column. Raises ValueError for more cells than columns."""
    if len(cells) > len(header):
        raise ValueError(f"{len(cells)} cells for {len(header)} columns; quote text that contains commas")
    return dict(zip(header, map(str.strip, cells), strict=False))


def figure_of(row: Row, line: int) -> Reported:
    """The figure of a row. Raises ValueError with a sentence."""
    kpi = _kpi(row.get("code", ""))
    part = _part_named(kpi.code, row.get("part", ""))
    check_unit(kpi.code, part, row.get("unit", ""))
    value, numerator, denominator = _numbers(row, kpi, part)
    return Reported(
        code=kpi.code, part=part, year=_year(row.get("year", "")), value=value, numerator=numerator,
        denominator=denominator, quality=_quality(row.get("quality", "")), source=_source(row.get("source", "")),
        remark=_one_line(row.get("remark", "")), line=line,
    )  # fmt: skip


_canonical = lru_cache(maxsize=1000)(canonical)
_part_named = lru_cache(maxsize=1000)(lambda code, text: part_named(KPIS[code], text))


def _kpi(text: str) -> Kpi:
    code = _canonical(text)
    if not text or code is None:
        official = [kpi.code for kpi in KPIS.values() if kpi.level != "local"]
        raise ValueError(f"there is no KPI '{text}'; {nearest(text.replace(' ', '').upper(), official).rstrip('.')}")
    if KPIS[code].level == "local":
        raise ValueError(f"{code} is a local KPI; only the 91 of U4SSC are reported")
    return KPIS[code]


def _numbers(row: Row, kpi: Kpi, part: str) -> tuple[float, float | None, float | None]:
    """Value, numerator and denominator. A numerator alone is the result, as verifiers treat it (p32)."""
    unit = unit_of(kpi, part)
    value = _number(row.get("value", ""), "value", unit)
    numerator = _number(row.get("numerator", ""), "numerator", unit)
    denominator = _number(row.get("denominator", ""), "denominator", unit)
    if denominator is None:
        given = value if value is not None else numerator
        if given is None:
            raise ValueError(f"{kpi.code} has no figure; give value in {unit}, or numerator and denominator")
        if None not in (value, numerator):
            raise ValueError("a numerator beside the value needs its denominator; add it, or remove the numerator")
        return given, None, None
    if numerator is None:
        raise ValueError("a denominator needs its numerator; add it, or remove the denominator")
    result = quotient(numerator, denominator, unit)
    if value is not None and not math.isclose(value, result, rel_tol=0.005, abs_tol=0.005):
        raise ValueError(f"value {value:g} is not numerator / denominator{per(unit)} = {result:.6g}; correct one")
    return result, numerator, denominator


def _number(text: str, column: str, unit: str) -> float | None:
    if not text:
        return None
    if unit == "yes/no" and text.lower() in _YES_NO:
        return _YES_NO[text.lower()]
    try:
        number = float(text.replace("_", "x"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        hint = "; use a decimal point and no thousands separator" if "," in text or " " in text else ""
        raise ValueError(f"{column} '{text}' is not a number{hint}") from None
    if number < 0:
        raise ValueError(f"{column} {text} is below 0, which no figure of U4SSC can be")
    return number


def _year(text: str) -> int:
    if len(text) != 4 or not text.isascii() or not text.isdigit() or not 1990 <= int(text) <= 2100:
        raise ValueError(f"'{text}' is not a valid year; use four digits, such as 2018")
    return int(text)


def _quality(text: str) -> str:
    if text.lower() not in QUALITY:
        raise ValueError(f"'{text}' is not a class of data quality; {nearest(text, QUALITY).rstrip('.')}")
    return text.lower()


def _source(text: str) -> str:
    if not text:
        raise ValueError("the source is missing; name the origin of the figure, so that a verifier can trace it")
    return _one_line(text)


def _one_line(text: str) -> str:
    """On one line, and without the separator of source and remark in the store."""
    return " ".join(text.split()).replace("; remark:", ", remark:")


def _repeated(figures: list[Reported], place: Place) -> Iterator[str]:
    seen: dict[tuple[str, str, int], int] = {}
    for f in figures:
        first = seen.setdefault((f.code, f.part, f.year), f.line)
        if first != f.line:
            figure = f"{f.code} {f.part}".rstrip()
            yield f"{place.at(f.line)}: {figure} of {f.year} is also in {place.row} {first}; remove one of them."
