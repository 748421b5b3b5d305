"""The summary of a pack as PDF: figures, their coverage, missing figures and findings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    Image,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from reporting.figures.figures import Figure
from reporting.figures.reported import QUALITY
from reporting.figures.rules import MOST_NOT_REPORTED
from reporting.figures.template import source
from reporting.pack.xlsx import about

if TYPE_CHECKING:
    from reporting.pack.content import Pack

# The PDF's built-in fonts contain Western European letters only; a city may be called Łódź or Ἀθῆναι.
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
for _name, _file in (("Body", "DejaVuSans.ttf"), ("Body-Bold", "DejaVuSans-Bold.ttf")):
    pdfmetrics.registerFont(TTFont(_name, _FONTS / _file))
pdfmetrics.registerFontFamily("Body", normal="Body", bold="Body-Bold", italic="Body", boldItalic="Body-Bold")

_INK = colors.HexColor("#263238")
TEXT = ParagraphStyle("text", fontName="Body", fontSize=8.5, leading=12, textColor=_INK)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=6.3, leading=8.2)
H1 = ParagraphStyle("h1", parent=TEXT, fontName="Body-Bold", fontSize=18, leading=23, spaceAfter=4)
H2 = ParagraphStyle("h2", parent=TEXT, fontName="Body-Bold", fontSize=12, leading=16, spaceBefore=10, spaceAfter=4)
WIDTH = A4[0] - 36 * mm


def summary(pack: Pack, drawn: dict[str, bytes]) -> bytes:
    """The file's bytes; `drawn`: the plots by file name."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=16 * mm,
        title=f"U4SSC figures of {pack.title}", author="CityVitals", invariant=1,
    )  # fmt: skip
    parts = [*_first(pack, drawn), PageBreak(), *_derived(pack), *_plots(drawn), *_reported(pack), *_open(pack)]
    document.build(parts, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def foot(canvas: Any, document: Any) -> None:  # noqa: ANN401 - reportlab has no types
    """The line at the foot of a page."""
    canvas.setFont("Body", 6.5)
    canvas.setFillColor(_INK)
    canvas.drawString(18 * mm, 9 * mm, f"{document.title}. Not a document of U4SSC or ITU.")
    canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, f"page {document.page}")


def _first(pack: Pack, drawn: dict[str, bytes]) -> list[Any]:
    with_value = [f for f in pack.official if f.value is not None]
    derived = sum(f.reported is None for f in with_value)
    codes = len({f.code for f in with_value})
    share = f"{100 * pack.not_reported:.0f} % of the 91 KPIs are not reported"
    returned = "; a verifier returns submissions above 20 %" if pack.not_reported > MOST_NOT_REPORTED else ""
    facts = [
        f"<b>{codes} of 91 KPIs</b> have a figure: {len(with_value)} figures, {derived} derived from sensors and "
        f"{len(with_value) - derived} reported by the city. {share}{returned}.",
        f"<b>{len(pack.scores.items)} figures</b> are scored against the city's own targets.",
        f"Findings that a verifier would check: <b>{len(pack.findings)}</b>.",
    ]
    city = pack.city.city
    people = "population not given" if city.population is None else f"{city.population:,.0f} inhabitants"
    return [
        Paragraph(escape(f"U4SSC figures of {pack.title}"), H1),
        Paragraph(escape(f"{city.name}, {city.country}; {people}; {len(pack.city.device)} devices"), TEXT),
        Spacer(1, 6),
        *(Paragraph(fact, TEXT, bulletText="•") for fact in facts),
        Spacer(1, 6),
        image(drawn["wheel.png"], WIDTH * 0.92),
        Paragraph("A category's band is the number of its filled cells.", SMALL),
        Paragraph("How to read this", H2),
        *(Paragraph(escape(text), SMALL, bulletText="•") for text in about(pack)[1:]),
    ]


def image(data: bytes, width: float, most: float = 225 * mm) -> Any:  # noqa: ANN401
    """A PNG, at most `width` wide and `most` high."""
    wide, high = ImageReader(io.BytesIO(data)).getSize()
    scale = min(width / wide, most / high)
    return Image(io.BytesIO(data), wide * scale, high * scale)


def _derived(pack: Pack) -> list[Any]:
    body = []
    for p in pack.proofs:
        v, error = p.value, p.uncertainty.over_stations if p.uncertainty else None
        value = "-" if v.value is None else f"{v.value:,.4g}"
        body.append([
            v.code, f"{p.name} {v.part}", value, v.unit, "" if error is None else f"{error:.2g}",
            f"{100 * v.coverage:.1f} %", str(v.n_devices), v.status, v.notes,
        ])  # fmt: skip
    heads = ["KPI", "", "value", "unit", "s.e.", "coverage", "devices", "status", "notes"]
    note = "s.e.: standard error over stations; not an uncertainty of the instruments."
    return [
        Paragraph("Derived from sensor readings", H2),
        table(heads, body, (24, 30, 15, 18, 9, 14, 12, 17, 35), number=(2, 4, 5, 6)),
        Paragraph(note, SMALL),
    ]


def table(heads: Sequence[str], body: Sequence[Sequence[str]], widths: Sequence[float], number: Sequence[int]) -> Any:  # noqa: ANN401
    """A table whose head is repeated; `widths` relative, `number`: columns that are set to the right."""
    right = ParagraphStyle("right", parent=SMALL, alignment=2)
    styles = [right if i in number else SMALL for i in range(len(heads))]
    cells = [[Paragraph(f"<b>{escape(h)}</b>", s) for h, s in zip(heads, styles, strict=True)]]
    cells += [[Paragraph(escape(t), s) for t, s in zip(row, styles, strict=True)] for row in body]
    unit = WIDTH / sum(widths)
    made = Table(cells, colWidths=[w * unit for w in widths], repeatRows=1)
    rule = colors.HexColor("#cfd8dc")
    made.setStyle(TableStyle([
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, rule), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ("LEFTPADDING", (0, 0), (-1, -1), 2), ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]))  # fmt: skip
    return made


def _plots(drawn: dict[str, bytes]) -> list[Any]:
    names = [name for name in ("stations.png", "coverage.png", "months.png") if name in drawn]
    return [part for name in names for part in (Spacer(1, 8), KeepTogether([image(drawn[name], WIDTH)]))]


def _reported(pack: Pack) -> list[Any]:
    said = [f for f in pack.official if f.reported]
    if not said:
        return []
    body = [[f.code, f.name, _number(f), f.unit, f.reported.quality if f.reported else "", source(f)] for f in said]
    heads = ["KPI", "", "value", "unit", "quality", "source"]
    classes = "; ".join(f"{name}: {text}" for name, text in QUALITY.items())
    return [
        Paragraph("Reported by the city", H2),
        table(heads, body, (26, 54, 16, 30, 18, 30), number=(2,)),
        Paragraph(f"Quality: {classes}.", SMALL),
    ]


def _number(f: Figure) -> str:
    return "" if f.value is None else f"{f.value:,.6g}"


def _open(pack: Pack) -> list[Any]:
    found = [[f.code, f.rule, f.page, f.text] for f in pack.findings]
    missing = [f for f in pack.official if f.value is None]
    parts: list[Any] = []
    if found:
        heads = ["KPI", "rule", "page", "finding"]
        parts += [Paragraph("To check", H2), table(heads, found, (24, 34, 14, 102), number=())]
    if missing:
        names = "; ".join(f"{f.code} {f.name}" + (" (partial)" if f.partial else "") for f in missing)
        parts += [Paragraph(f"Not reported: {len(missing)} figures", H2), Paragraph(escape(names) + ".", SMALL)]
    return parts
