"""Rows of an answer as a file: CSV for programs, XLSX for people with a spreadsheet. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fastapi import Response

Form = Literal["json", "csv", "xlsx"]
TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in TYPES.values()}}
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_file(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: Form, name: str) -> Response:
    """The rows as a file to keep. `name`: without ending."""
    content = as_xlsx(rows, columns) if form == "xlsx" else as_csv(rows, columns)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)  # a header carries no other letters
    headers = {"Content-Disposition": f'attachment; filename="{plain}.{form}"'}
    return Response(content, media_type=TYPES[form], headers=headers)


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """UTF-8 with a header; what does not exist is an empty cell. Text that a spreadsheet would run is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell holds whatever a row does
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


def as_xlsx(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """One sheet with a head that stays; numbers are numbers, nothing is a formula."""
    import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415 - megabytes, for a file that few request

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("CityVitals")
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(columns):
        sheet.write_string(0, column, name, bold)
        sheet.set_column(column, column, 34 if name in ("name", "notes", "definition") else 14)
    for number, row in enumerate(rows, start=1):
        for column, name in enumerate(columns):
            _write(sheet, number, column, row[name])
    book.close()
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
    if isinstance(value, bool) or value is None:
        sheet.write_string(row, column, "" if value is None else str(value).lower())
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
