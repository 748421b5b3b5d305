"""The blocks as a Word document, by python-docx."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

from docx import Document
from docx.document import Document as Word
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import _Row

from reporting.vlr.blocks import Block, Bullets, Grid, Heading, PageBreak, Picture, Text

_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no time zone; a fixed one, so that nothing depends on now
_INK, _GAP = RGBColor(0x26, 0x32, 0x38), RGBColor(0xC6, 0x28, 0x28)
_WIDTH_CM = 17.0


def docx(blocks: Sequence[Block], title: str) -> bytes:
    """The file's bytes."""
    word = Document()
    word.core_properties.title, word.core_properties.author = title, "CityVitals"
    word.core_properties.created = word.core_properties.modified = _CREATED
    section = word.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.0)
    normal = word.styles["Normal"]
    normal.font.name, normal.font.size, normal.font.color.rgb = "Calibri", Pt(10), _INK
    section.footer.paragraphs[0].text = f"{title}. Not a document of U4SSC or ITU."
    for before, block in zip([None, *blocks], blocks, strict=False):
        _add(word, block)
        if isinstance(before, Heading) and isinstance(block, Text):
            word.paragraphs[-1].paragraph_format.keep_with_next = True  # else the heading stands alone at a page's end
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def _add(word: Word, block: Block) -> None:
    if isinstance(block, Heading):
        word.add_heading(block.text, level=block.level)
    elif isinstance(block, Text):
        run = word.add_paragraph().add_run(f"[{block.text}]" if block.kind == "gap" else block.text)
        run.font.size = Pt(8) if block.kind == "small" else Pt(10)
        if block.kind == "gap":
            run.bold, run.font.color.rgb = True, _GAP
    elif isinstance(block, Bullets):
        for item in block.items:
            word.add_paragraph(item, style="List Bullet")
    elif isinstance(block, Grid):
        _grid(word, block)
    elif isinstance(block, Picture):
        word.add_picture(io.BytesIO(block.png), width=Cm(_WIDTH_CM))
        word.inline_shapes[-1]._inline.docPr.set("descr", block.alternative)
    elif isinstance(block, PageBreak):
        word.add_page_break()  # type: ignore[no-untyped-call]


def _grid(word: Word, grid: Grid) -> None:
    table = word.add_table(rows=1, cols=len(grid.head), style="Table Grid")
    table.autofit = False
    whole = sum(grid.widths)
    for column, width in zip(table.columns, grid.widths, strict=True):
        column.width = Cm(_WIDTH_CM * width / whole)  # Word takes the cells' widths, LibreOffice these
    for cells, row in ((table.rows[0].cells, grid.head), *((table.add_row().cells, row) for row in grid.rows)):
        for cell, text, width in zip(cells, row, grid.widths, strict=True):
            cell.width = Cm(_WIDTH_CM * width / whole)
            run = cell.paragraphs[0].add_run(text)
            run.font.size, run.bold = Pt(7), row is grid.head
    _set(table.rows[0], "w:tblHeader")  # repeated on every page
    for row in table.rows:
        _set(row, "w:cantSplit")
    word.add_paragraph().paragraph_format.space_after = Pt(0)


def _set(row: _Row, name: str) -> None:
    flag = OxmlElement(name)
    flag.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(flag)
