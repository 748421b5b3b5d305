"""The blocks as PDF, in the look of a pack's summary."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.platypus import CondPageBreak, Paragraph, SimpleDocTemplate, Spacer  # type: ignore[import-untyped]
from reportlab.platypus import PageBreak as NewPage

from reporting.pack.pdf import H1, H2, SMALL, TEXT, WIDTH, foot, image, table
from reporting.vlr.blocks import Block, Bullets, Grid, Heading, PageBreak, Picture, Text

_HEADINGS = {
    1: ParagraphStyle("chapter", parent=H1, keepWithNext=1),
    2: ParagraphStyle("section", parent=H2, keepWithNext=1),
    3: ParagraphStyle("subsection", parent=H2, fontSize=10, leading=13, keepWithNext=1),
}
_GAP = ParagraphStyle("gap", parent=TEXT, fontName="Body-Bold", textColor=colors.HexColor("#c62828"))
_BELOW = 60 * mm
_STYLES = {"text": TEXT, "small": SMALL, "gap": _GAP}


def pdf(blocks: Sequence[Block], title: str) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=16 * mm,
        title=title, author="CityVitals", invariant=1,
    )  # fmt: skip
    document.build([part for block in blocks for part in _parts(block)], onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _parts(block: Block) -> list[Any]:
    if isinstance(block, Heading):
        room = [CondPageBreak(_BELOW)] if block.level == 2 else []  # a heading is never the last of a page
        return [*room, Paragraph(escape(block.text), _HEADINGS[block.level])]
    if isinstance(block, Text):
        text = f"[{block.text}]" if block.kind == "gap" else block.text
        return [Paragraph(escape(text), _STYLES[block.kind]), Spacer(1, 4)]
    if isinstance(block, Bullets):
        return [Paragraph(escape(item), TEXT, bulletText="•") for item in block.items] + [Spacer(1, 4)]
    if isinstance(block, Grid):
        return [table(block.head, block.rows, block.widths, number=()), Spacer(1, 6)]
    if isinstance(block, Picture):
        return [image(block.png, WIDTH), Spacer(1, 6)]
    assert isinstance(block, PageBreak)  # noqa: S101 - the last kind
    return [NewPage()]
