"""The collection form as a workbook: what is in it, and what of a filled one is read or refused."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from adapters.sqlite.store import SqliteStore
from kpi_derivation.catalogue import KPIS
from registry.city import City
from reporting.figures.reported import QUALITY, Reported
from reporting.figures.stored import reported_of
from reporting.files.workbook import SHEET, form_workbook, read_workbook
from reporting.report import figures_in, report_figures
from telemetry.errors import UsageError
from tests.reporting.city import CITY

COLUMNS = {
    "Code": "A", "Part": "B", "Year": "C", "Unit": "H", "Value": "J", "Numerator": "K", "Denominator": "L",
    "Data quality": "M", "Source": "N", "Remark": "O",
}  # fmt: skip

YES_NO = next((k.code, k.parts[0] if k.parts else "") for k in KPIS.values() if k.unit == "yes/no")


def opened(data: bytes) -> tuple[Any, Any]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return book, book[SHEET]


def row_of(sheet: Any, code: str, part: str = "") -> int:
    return next(r for r in range(2, 200) if (sheet[f"A{r}"].value, sheet[f"B{r}"].value or "") == (code, part))


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled(cells: dict[str, object], code: str = "EC:I:ES:2C", part: str = "") -> bytes:
    book, sheet = opened(form_workbook(2024))
    row = row_of(sheet, code, part)
    given = {"Source": "Grid company", "Data quality": "measured", **cells}
    for heading, value in given.items():
        sheet[f"{COLUMNS[heading]}{row}"] = value
    return saved(book)


def complaint(data: bytes) -> str:
    with pytest.raises(UsageError) as error:
        read_workbook(data, "form.xlsx")
    return str(error.value)


def test_the_empty_form_has_all_figures_and_reports_none() -> None:
    _, sheet = opened(form_workbook(2024))
    codes = [sheet[f"A{r}"].value for r in range(2, 114)]
    assert len(set(codes)) == 91
    assert sheet.max_row == 113
    assert {sheet[f"C{r}"].value for r in range(2, 114)} == {2024}
    assert read_workbook(form_workbook(2024), "form.xlsx") == []


def test_only_the_cells_to_fill_in_are_open_and_wrong_entries_are_refused_while_typing() -> None:
    _, sheet = opened(form_workbook(2024))
    open_cells = {cell.column_letter for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    assert sheet.protection.sheet
    assert open_cells == set("JKLMNO")
    row = row_of(sheet, "EC:I:ES:2C")
    rules = {str(v.sqref).split(":")[0]: v for v in sheet.data_validations.dataValidation}
    assert (rules[f"J{row}"].type, rules[f"J{row}"].operator, rules[f"J{row}"].formula1) == (
        "decimal", "greaterThanOrEqual", "0",
    )  # fmt: skip
    assert rules[f"M{row}"].formula1 == '"' + ",".join(QUALITY) + '"'
    assert rules[f"J{row_of(sheet, *YES_NO)}"].formula1 == '"yes,no"'


def test_the_same_form_is_made_of_the_same_bytes() -> None:
    assert form_workbook(2024) == form_workbook(2024)


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ({"Value": 83.5}, 83.5),
        ({"Value": "83.5"}, 83.5),
        ({"Value": 1e-7}, 1e-7),
        ({"Numerator": 167, "Denominator": 2}, 83.5),
    ],
)
def test_a_filled_row_is_a_figure(cells: dict[str, object], value: float) -> None:
    [figure] = read_workbook(filled({**cells, "Remark": "new meters"}), "form.xlsx")
    assert (figure.code, figure.year, figure.value) == ("EC:I:ES:2C", 2024, value)
    assert (figure.source, figure.quality, figure.remark) == ("Grid company", "measured", "new meters")


def test_a_cell_that_shows_percent_counts_as_it_is_shown() -> None:
    book, sheet = opened(filled({"Value": 0.45}, "EC:ICT:ICT:1C"))
    sheet[f"J{row_of(sheet, 'EC:ICT:ICT:1C')}"].number_format = "0.0%"
    [figure] = read_workbook(saved(book), "form.xlsx")
    assert (figure.unit, figure.value) == ("%", 45.0)


def test_yes_is_read_from_text_and_from_a_truth_value() -> None:
    assert [read_workbook(filled({"Value": v}, *YES_NO), "f.xlsx")[0].value for v in ("yes", True, "No")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"Value": "many"}, "value 'many' is not a number"),
        ({"Value": -3}, "below 0"),
        ({"Value": 5, "Source": ""}, "the source is missing"),
        ({"Value": 5, "Data quality": "good"}, "not a class of data quality"),
        ({"Value": 5, "Code": "EC:I:ES:9X"}, "there is no KPI"),
        ({"Value": 5, "Year": "last year"}, "is not a valid year"),
        ({"Value": "=J3*2"}, "the cell '=J3*2' has no result"),
    ],
)
def test_a_wrong_row_is_named_with_its_row(cells: dict[str, object], sentence: str) -> None:
    row = row_of(opened(form_workbook(2024))[1], "EC:I:ES:2C")
    text = complaint(filled(cells))
    assert text.startswith(f"form.xlsx, row {row}: ")
    assert sentence in text


def test_shifted_columns_are_found_whichever_way_they_moved() -> None:
    book, sheet = opened(filled({"Value": 83.5}))
    sheet.insert_cols(1)
    assert read_workbook(saved(book), "form.xlsx")[0].value == 83.5, "an empty column in front changes nothing"
    for column, sentence in ((8, "is in minutes, not in '83.5'"), (11, "is not a class of data quality")):
        book, sheet = opened(filled({"Value": 83.5}))
        row = row_of(sheet, "EC:I:ES:2C")
        for at in range(9, 16):
            sheet[f"{get_column_letter(at)}{row}"] = None
        for offset, value in enumerate([83.5, None, None, "measured", "Grid company"]):
            sheet[f"{get_column_letter(column + offset)}{row}"] = value
        assert sentence in complaint(saved(book))


def test_a_value_alone_in_the_column_of_units_is_not_passed_over() -> None:
    book, sheet = opened(form_workbook(2024))
    sheet[f"H{row_of(sheet, 'EC:I:ES:2C')}"] = 83.5
    assert "is in minutes, not in '83.5'" in complaint(saved(book))


def test_columns_may_stand_in_any_order_and_rows_above_the_headings() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Town of Example"])
    sheet.append([])
    sheet.append(["Value", "Source", "Data quality", "Year", "Code", "Part"])
    sheet.append([83.5, "Grid company", "measured", 2024, "EC: I: ES: 2C", None])
    [figure] = read_workbook(saved(book), "f.xlsx")
    assert (figure.code, figure.value, figure.line) == ("EC:I:ES:2C", 83.5, 4)


def test_a_removed_heading_and_a_sheet_without_headings_are_refused() -> None:
    book, sheet = opened(filled({"Value": 5}))
    sheet["N1"] = "Origin"
    assert "unknown column 'origin'" in complaint(saved(book))
    sheet["N1"] = None
    assert "missing source" in complaint(saved(book))
    sheet.delete_rows(1)
    assert "no row of the sheet names the columns" in complaint(saved(book))


@pytest.mark.parametrize("data", [b"PK", b"PK\x03\x04" + bytes(40), b"\xd0\xcf\x11\xe0"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    assert "is not a workbook that can be read" in complaint(data)


def test_a_form_of_stored_figures_loads_again_and_changes_nothing(tmp_path: Path) -> None:
    store, city = SqliteStore(tmp_path / "c.db"), City.model_validate(tomllib.loads(CITY))
    given = [
        Reported(code="EC:I:ES:2C", year=2024, value=83.5, quality="measured", source="Grid", remark="a"),
        Reported(code="EC:I:ES:2C", year=2023, value=90, quality="measured", source="Grid"),
        Reported(
            code="EC:ICT:ICT:1C", year=2024, value=25.0, numerator=1.0, denominator=4.0, quality="survey",
                source="Stat",
        ),
    ]  # fmt: skip
    report_figures(store, city, given, "f", 1)
    data = form_workbook(2024, reported_of(store, city))
    _, sheet = opened(data)
    assert sheet[f"I{row_of(sheet, 'EC:I:ES:2C')}"].value == "2023: 90"
    done = report_figures(store, city, figures_in(data, "f.xlsx"), "f.xlsx", 2)
    assert (done.figures, done.changed) == (2, 0)
