"""The collection form as a workbook (.xlsx): written with what is known, read back with its rows checked. Pure.

One row for each of the 112 figures. Only the cells to fill in are open; the sheet is protected without a password, so
that columns do not move by accident. A reader accepts columns in any order, by their headings.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from kpi_derivation.catalogue import Kpi
from reporting.figures.file import Place, figures_of
from reporting.figures.points import Point, all_points, unit_of
from reporting.figures.reported import QUALITY, Reported
from telemetry.errors import UsageError

SHEET = "Figures"
# Heading, column of the form ("" for people only), width, and whether it is filled in.
_LAYOUT = (
    ("Code", "code", 17, False), ("Part", "part", 12, False), ("Year", "year", 7, False), ("Indicator", "", 34, False),
    ("Definition", "", 60, False), ("Level", "", 10, False), ("From sensors", "", 13, False),
    ("Unit", "unit", 20, False), ("Earlier value", "", 16, False), ("Value", "value", 14, True),
    ("Numerator", "numerator", 14, True), ("Denominator", "denominator", 14, True),
    ("Data quality", "quality", 15, True), ("Source", "source", 40, True), ("Remark", "remark", 40, True),
)  # fmt: skip
_NAMES = {heading.lower(): column for heading, column, _, _ in _LAYOUT}
_HOW = (
    "Fill in the yellow cells of the sheet 'Figures', one row a figure. Rows without a figure stay empty.",
    "Give Value in the unit of the row, or Numerator and Denominator; the share or rate is calculated.",
    "Source: the document, register or person the figure comes from, so that a verifier can trace it.",
    "Data quality: " + "; ".join(f"{name}: {text}" for name, text in QUALITY.items()) + ".",
    "An orange unit is not confirmed by the publisher. 'From sensors: automatic' needs no figure once sensors deliver.",
    "Load the file again on the page 'Report', or with: cityvitals kpi report CITY FILE.xlsx --store STORE",
)
_NUMBERS = ("value", "numerator", "denominator")
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no time zone; a fixed date makes the file reproducible
_LARGEST = 60 << 20  # bytes of the unpacked file
_MOST_ROWS, _MOST_COLUMNS = 20_000, 100

Cell = str | float | int | None


def form_workbook(year: int, known: Sequence[Reported] = ()) -> bytes:
    """The form of a year with the figures that are reported already, and each earlier value beside them."""
    import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"U4SSC figures of {year}", "created": _CREATED})
    plain = {"valign": "top", "align": "left", "font_size": 10, "text_wrap": True}
    forms = {
        "head": book.add_format({**plain, "bold": True, "bg_color": "#263238", "font_color": "#FFFFFF"}),
        "cell": book.add_format(plain),
        "open": book.add_format({**plain, "bg_color": "#F5A623"}),
        "fill": book.add_format({**plain, "bg_color": "#FFF8DC", "border": 1, "locked": False}),
    }
    sheet = book.add_worksheet(SHEET)
    for column, (heading, _, width, _) in enumerate(_LAYOUT):
        sheet.set_column(column, column, width)
        sheet.write(0, column, heading, forms["head"])
    figures = {(f.code, f.part): f for f in known if f.year == year}
    earlier = _earlier(known, year)
    for line, (kpi, part) in enumerate(all_points(), start=1):
        point = (kpi.code, part)
        _write_row(sheet, line, _cells(kpi, part, year, figures.get(point), earlier.get(point, "")), kpi, forms)
        _validate(sheet, line, unit_of(kpi, part))
    sheet.freeze_panes(1, 4)
    sheet.autofilter(0, 0, line, len(_LAYOUT) - 1)
    sheet.set_landscape()
    sheet.set_paper(8)  # A3
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    _explain(book, forms)
    book.close()
    return out.getvalue()


def _cells(kpi: Kpi, part: str, year: int, figure: Reported | None, earlier: str) -> list[Cell]:
    sensors = "automatic" if kpi.derivable else "by hand"
    shown: list[Cell] = [
        kpi.code, part, year, kpi.name, kpi.definition, kpi.level, sensors, unit_of(kpi, part), earlier,
    ]  # fmt: skip
    if figure is None:
        return shown + [None] * (len(_LAYOUT) - len(shown))
    # Of a ratio the two numbers are the figure, and its value would only round it.
    value = figure.value if figure.denominator is None else None
    return [*shown, value, figure.numerator, figure.denominator, figure.quality, figure.source, figure.remark]


def _earlier(known: Sequence[Reported], year: int) -> dict[Point, str]:
    """The newest value before the year of each figure, as '2024: 81.2'."""
    return {(f.code, f.part): f"{f.year}: {f.value:g}" for f in sorted(known, key=lambda f: f.year) if f.year < year}


def _write_row(sheet: Any, line: int, cells: Sequence[Cell], kpi: Kpi, forms: dict[str, Any]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    for column, (cell, (heading, _, _, fill)) in enumerate(zip(cells, _LAYOUT, strict=True)):
        unconfirmed = heading == "Unit" and kpi.unit_status == "unconfirmed"
        form = forms["fill" if fill else "open" if unconfirmed else "cell"]
        sheet.write(line, column, cell, form) if cell is not None else sheet.write_blank(line, column, None, form)


def _validate(sheet: Any, line: int, unit: str) -> None:  # noqa: ANN401 - xlsxwriter has no types
    place = {column: number for number, (_, column, _, _) in enumerate(_LAYOUT) if column}
    number = {"validate": "decimal", "criteria": ">=", "value": 0, "error_message": "A number of 0 or more."}
    answer = {"validate": "list", "source": ["yes", "no"], "error_message": "yes or no"}
    sheet.data_validation(line, place["value"], line, place["value"], answer if unit == "yes/no" else number)
    sheet.data_validation(line, place["numerator"], line, place["denominator"], number)
    classes = {"validate": "list", "source": list(QUALITY), "error_message": "One of the six classes of the list."}
    sheet.data_validation(line, place["quality"], line, place["quality"], classes)


def _explain(book: Any, forms: dict[str, Any]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    sheet = book.add_worksheet("How to fill in")
    sheet.set_column(0, 0, 110)
    for line, text in enumerate(_HOW):
        sheet.write(line, 0, text, forms["cell"])


def read_workbook(data: bytes, name: str) -> list[Reported]:
    """The figures of a filled form. Raises UsageError: not a workbook, no such sheet, a sentence for each wrong row."""
    rows = _rows(data, name)
    at, header = next((found for found in rows if {"code", "year"} <= {c.lower() for c in found[1]}), (0, []))
    if not header:
        raise UsageError(f"{name}: no row of the sheet names the columns; keep the row that begins with 'Code'.")
    columns = [_NAMES.get(cell.lower(), cell.lower()) or "name" for cell in header]
    width = len(columns)
    wide = ((n, [*cells[:width], *filter(None, cells[width:])]) for n, cells in rows)
    return figures_of(columns, wide, Place(name, "row", at))


def _rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, numbered as the spreadsheet shows them, cells as text."""
    import openpyxl  # noqa: PLC0415 - slow to import

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _LARGEST:
                raise UsageError(f"{name} has over {_LARGEST >> 20} MB unpacked, more than any form.")
        values = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        title = SHEET if SHEET in values.sheetnames else values.sheetnames[0]
        shown_rows, entered_rows = (
            book[title].iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS) for book in (values, formulas)
        )
        both = zip(shown_rows, entered_rows, strict=True)
        for number, (shown, entered) in enumerate(both, start=1):
            cells = [_text(a, b, f"{name}, row {number}") for a, b in zip(shown, entered, strict=True)]
            if any(cells):
                yield number, cells
    except (zipfile.BadZipFile, KeyError, ParseError, ValueError, OSError, EOFError) as error:
        raise UsageError(f"{name} is not a workbook that can be read ({error}); save it as .xlsx or CSV.") from error


def _text(cell: Any, entered: Any, at: str) -> str:  # noqa: ANN401 - openpyxl's cells have many classes
    value = cell.value
    if value is None:
        if entered.value is not None:
            raise UsageError(
                f"{at}: the cell '{entered.value}' has no result; open and save the file in a spreadsheet program."
            )
        return ""
    if cell.data_type == "e":
        raise UsageError(f"{at}: a cell shows the error {value}; correct its formula or write the number.")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        # A cell that shows 45 % contains 0.45.
        number = value * 100 if "%" in (cell.number_format or "") else value
        return f"{number:.15g}" if isinstance(number, float) else str(number)
    return str(value).strip()
