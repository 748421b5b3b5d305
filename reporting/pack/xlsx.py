"""The verifier's workbook: figures in the layout of the data collection template, category scores, findings."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter  # type: ignore[import-untyped]

from reporting.figures.points import unit_of
from reporting.figures.ratio import factor
from reporting.figures.template import HEADINGS, NOT_REPORTED, RESULT, UNIT_STATUS, Row, rows
from reporting.scoring import BANDS, OUR_CHOICE

if TYPE_CHECKING:
    from reporting.pack.content import Pack

# A workbook contains its date of creation; a fixed one makes it reproducible.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no time zone
_WIDTHS = (5, 18, 24, 22, 16, 34, 12, 10, 12, 20, 12, 9, 12, 12, 12, 12, 10, 12, 9, 30, 24, 34, 60)
_BAND_COLOURS = ("#F4B6B6", "#FCE3A8", "#D3E7B8", "#A9D3B1")


def workbook(pack: Pack) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"U4SSC figures of {pack.title}", "created": _CREATED})
    forms = _forms(book)
    _figures(book, forms, "Data collection", rows(pack.official, pack.scores, pack.period.label), pack)
    local = [f for f in pack.figures if f.kpi.level == "local"]
    _figures(book, forms, "Local KPIs", rows(local, pack.scores, pack.period.label), pack)
    _categories(book, forms, pack)
    _goals(book, forms, pack)
    _findings(book, forms, pack)
    _about(book, forms, pack)
    book.close()
    return out.getvalue()


def _forms(book: Any) -> dict[str, Any]:  # noqa: ANN401 - xlsxwriter has no types
    plain = {"valign": "top", "font_size": 10}
    return {
        "head": book.add_format(
            {"bold": True, "bg_color": "#263238", "font_color": "#FFFFFF", "text_wrap": True, **plain}
        ),
        "cell": book.add_format(plain),
        "wrap": book.add_format({"text_wrap": True, **plain}),
        "open": book.add_format({"bg_color": "#F5A623", **plain}),
        "result": book.add_format({"bold": True, "num_format": "#,##0.00##", **plain}),
        "number": book.add_format({"num_format": "#,##0.00##", **plain}),
        "percent": book.add_format({"num_format": "0.00%", **plain}),
        "bands": [book.add_format({"bg_color": colour, **plain}) for colour in _BAND_COLOURS],
    }


def _figures(book: Any, forms: dict[str, Any], name: str, found: list[Row], pack: Pack) -> None:  # noqa: ANN401
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 6)
    sheet.autofilter(0, 0, max(len(found), 1), len(HEADINGS) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for column, (heading, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write(0, column, heading, forms["head"])
    units = {f.kpi.code_spaced + f.part: unit_of(f.kpi, f.part) for f in pack.figures}
    for line, row in enumerate(found, start=1):
        for column, cell in enumerate(row.cells):
            sheet.write(line, column, cell, _form(column, row, forms))
        _ratio(sheet, line, row, units[f"{row.cells[4]}{row.cells[6]}"], forms)


def _form(column: int, row: Row, forms: dict[str, Any]) -> Any:  # noqa: ANN401
    cell = row.cells[column]
    if column in (UNIT_STATUS - 1, UNIT_STATUS) and row.unit_open:
        return forms["open"]
    if column == HEADINGS.index("Benchmark band") and cell in BANDS:
        return forms["bands"][BANDS.index(str(cell))]
    if column == RESULT and cell != NOT_REPORTED:
        return forms["result"]
    if isinstance(cell, float):
        return forms["number"]
    return forms["wrap"] if column >= HEADINGS.index("Data quality") else forms["cell"]


def _ratio(sheet: Any, line: int, row: Row, unit: str, forms: dict[str, Any]) -> None:  # noqa: ANN401
    """A formula in the sheet where numerator and denominator are known, so that a verifier can follow it."""
    numerator, denominator, result = row.cells[RESULT - 2], row.cells[RESULT - 1], row.cells[RESULT]
    if isinstance(numerator, float) and isinstance(denominator, float) and isinstance(result, float):
        formula = f"=M{line + 1}*{factor(unit):g}/N{line + 1}"
        sheet.write_formula(line, RESULT, formula, forms["result"], result)


def _categories(book: Any, forms: dict[str, Any], pack: Pack) -> None:  # noqa: ANN401
    sheet = book.add_worksheet("Category scoring")
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 4, 16)
    groups = (
        ("Category", pack.scores.categories), ("Sub-dimension", pack.scores.sub_dimensions),
        ("Dimension", pack.scores.dimensions),
    )  # fmt: skip
    line = 0
    for title, scores in groups:
        for column, text in enumerate((title, "Points", "Scored figures", "Score", "Band")):
            sheet.write(line, column, text, forms["head"])
        for line, (name, score) in enumerate(scores.items(), start=line + 1):  # noqa: B020 - goes on below
            sheet.write(line, 0, name, forms["cell"])
            sheet.write(line, 1, score.points, forms["cell"])
            sheet.write(line, 2, score.items, forms["cell"])
            if score.share is not None and score.band is not None:
                sheet.write_formula(line, 3, f"=B{line + 1}/(4*C{line + 1})", forms["percent"], score.share)
                sheet.write(line, 4, BANDS[score.band - 1], forms["bands"][score.band - 1])
        line += 2
    sheet.write(line, 0, f"{OUR_CHOICE[0].upper()}{OUR_CHOICE[1:]}.", forms["cell"])


def _goals(book: Any, forms: dict[str, Any], pack: Pack) -> None:  # noqa: ANN401
    sheet = book.add_worksheet("Goals")
    headings = (
        "Code", "Data point", "KPI", "Unit", "Baseline", "Baseline year", "Target", "Deadline", "Newest", "Year",
        "Form", "Needed", "Actual", "Ratio", "Verdict", "Remark",
    )  # fmt: skip
    for column, text in enumerate(headings):
        sheet.set_column(column, column, 34 if text in ("KPI", "Remark") else 14)
        sheet.write(0, column, text, forms["head"])
    for line, g in enumerate(pack.goals, start=1):
        p = g.progress
        newest = (p.value, p.year, p.form, p.needed, p.actual, p.ratio) if p else (None,) * 6
        cells = (
            g.code,
            g.part,
            g.name,
            g.unit,
            g.baseline,
            g.baseline_year,
            g.target,
            g.year,
            *newest,
            g.verdict,
            g.why,
        )
        for column, cell in enumerate(cells):
            sheet.write(line, column, cell, forms["cell"])


def _findings(book: Any, forms: dict[str, Any], pack: Pack) -> None:  # noqa: ANN401
    sheet = book.add_worksheet("To check")
    headings = ("Code", "Data point", "Rule", "Page", "Finding")
    for column, (text, width) in enumerate(zip(headings, (16, 14, 32, 10, 100), strict=True)):
        sheet.set_column(column, column, width)
        sheet.write(0, column, text, forms["head"])
    for line, f in enumerate(pack.findings, start=1):
        for column, text in enumerate((f.code, f.part, f.rule, f.page, f.text)):
            sheet.write(line, column, text, forms["cell"])


def _about(book: Any, forms: dict[str, Any], pack: Pack) -> None:  # noqa: ANN401
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 120)
    for line, text in enumerate(about(pack)):
        sheet.write(line, 0, text, forms["wrap"])


def about(pack: Pack) -> list[str]:
    """Information for readers; also in the summary."""
    return [
        f"U4SSC figures of {pack.title}.",
        "The layout follows the data collection template as far as it is public (columns O and Q to W); the other "
        "columns are additions of CityVitals. It is not the publisher's file.",
        "Result NR: not reported. A partial value is given in the remark and not reported.",
        "Data quality of derived values is a proposal to the verifier. Verified is for the verifier to set.",
        "A unit in orange is not confirmed by a text of the publisher: clarify it before submitting.",
        f"Scores: {OUR_CHOICE}. There is no score of the whole city, because no weights are published.",
        "The provenance of every derived value, down to the devices, is in provenance.json.",
    ]
