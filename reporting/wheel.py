"""The city snapshot: a wheel of the 22 categories as an SVG picture with a complete text alternative. Pure.

A wedge is a category. Its four cells fill from the inside with its band, so that the picture is readable without
colours; the arc around it shows the share of its figures that is reported. A category without a scored figure is empty.
Colours of CityVitals: dark green, light green, yellow, red, and grey for no data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import msgspec

from reporting.figures.figures import Figure, official
from reporting.scoring import BANDS, OUR_CHOICE, Score
from reporting.targets import Scores

SIZE = (1000, 820)
_CENTRE = (500.0, 405.0)
_INNER, _CELL, _GAP = 84.0, 42.0, 2.0
_OUTER = _INNER + 4 * _CELL
_RING = (_OUTER + 6, _OUTER + 14)
COLOURS = {None: "#eceff1", 1: "#c62828", 2: "#f9a825", 3: "#7cb342", 4: "#1b7837"}
_INK, _PALE = "#263238", "#eceff1"


class Wedge(msgspec.Struct, frozen=True, kw_only=True):
    """One category: its score, and how many of its figures are reported."""

    name: str
    dimension: str
    score: Score
    reported: int
    figures: int

    @property
    def sentence(self) -> str:
        """The wedge as text."""
        share = self.score.share
        if share is None:
            scored = "not scored"
        else:
            items = self.score.items
            scored = f"{100 * share:.4g} % (band {BANDS[(self.score.band or 1) - 1]}, {items} scored figures)"
        return f"{self.name}: {scored}; {self.reported} of {self.figures} figures reported"


def wedges(figures: Sequence[Figure], scores: Scores) -> list[Wedge]:
    """The 22 categories in the catalogue's order; a name under several dimensions is one category."""
    found: dict[str, list[Figure]] = {}
    for figure in official(figures):
        found.setdefault(figure.kpi.category, []).append(figure)
    return [
        Wedge(
            name=name, dimension=mine[0].kpi.dimension, score=scores.categories[name], figures=len(mine),
            reported=sum(f.value is not None for f in mine),
        )
        for name, mine in found.items()
    ]  # fmt: skip


def snapshot(city: str, period: str, figures: Sequence[Figure], scores: Scores) -> str:
    """The picture. `city`: its name."""
    parts = wedges(figures, scores)
    return "\n".join(
        (*_head(city, period, parts, scores), *_wheel(parts), *_middle(parts, scores), *_legend(), "</svg>\n")
    )


def _head(city: str, period: str, parts: Sequence[Wedge], scores: Scores) -> Iterator[str]:
    width, height = SIZE
    title = escape(f"{city}, {period}: city snapshot")
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="title desc" font-family="system-ui, sans-serif" fill="{_INK}">'
    )
    yield f'<title id="title">{title}</title>'
    yield f'<desc id="desc">{escape(". ".join((_scored(scores), *(w.sentence for w in parts), OUR_CHOICE)))}.</desc>'
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    yield f'<text x="28" y="44" font-size="26" font-weight="600">{title}</text>'
    yield '<text x="28" y="70" font-size="15">U4SSC key performance indicators, by category</text>'


def _scored(scores: Scores) -> str:
    """The number of scored figures. There is no score of the whole city: the publisher defines no weights."""
    return f"{len(scores.items)} figures scored" if scores.items else "nothing is scored: no targets are set"


def _wheel(parts: Sequence[Wedge]) -> Iterator[str]:
    step = 2 * math.pi / len(parts)
    for i, wedge in enumerate(parts):
        begin = i * step - math.pi / 2
        yield f"<g><title>{escape(wedge.sentence)}</title>"
        yield from _cells(wedge, begin, begin + step)
        yield from _reported_arc(wedge, begin, begin + step)
        yield _label(wedge, begin + step / 2)
        yield "</g>"


def _cells(wedge: Wedge, begin: float, end: float) -> Iterator[str]:
    band = wedge.score.band
    for cell in range(4):
        colour = COLOURS[band] if band and cell < band else _PALE
        inner = _INNER + cell * _CELL
        yield f'<path d="{_ring(inner + _GAP, inner + _CELL, begin, end)}" fill="{colour}"/>'


def _reported_arc(wedge: Wedge, begin: float, end: float) -> Iterator[str]:
    share = wedge.reported / wedge.figures
    yield f'<path d="{_ring(*_RING, begin, end)}" fill="{_PALE}"/>'
    if share:
        yield f'<path d="{_ring(*_RING, begin, begin + share * (end - begin), share == 1)}" fill="#546e7a"/>'


def _ring(inner: float, outer: float, begin: float, end: float, whole: bool = True) -> str:
    """A segment of a ring with half a gap on both sides, at the end only where the segment is complete."""
    corners = []
    for radius, (first, last) in ((outer, (begin, end)), (inner, (end, begin))):
        gap = _GAP / radius
        for angle in (first, last):
            shift = gap if angle == begin else -gap if whole else 0.0
            corners.append(_at(radius, angle + shift))
    a, b, c, d = corners
    return f"M{a} A{outer:g} {outer:g} 0 0 1 {b} L{c} A{inner:g} {inner:g} 0 0 0 {d} Z"


def _at(radius: float, angle: float) -> str:
    return f"{_CENTRE[0] + radius * math.cos(angle):.2f} {_CENTRE[1] + radius * math.sin(angle):.2f}"


def _label(wedge: Wedge, angle: float) -> str:
    """The name outside the wheel, left-aligned on the right side and right-aligned on the left."""
    x, y = (float(v) for v in _at(_RING[1] + 10, angle).split())
    anchor = "start" if math.cos(angle) > 0 else "end"
    share = wedge.score.share
    text = "" if share is None else f" {100 * share:.0f} %"
    y += 5 + 6 * math.sin(angle)
    name = f'{escape(wedge.name)}<tspan font-weight="600">{text}</tspan>'
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="14" text-anchor="{anchor}">{name}</text>'


def _middle(parts: Sequence[Wedge], scores: Scores) -> Iterator[str]:
    x, y = _CENTRE
    reported, figures = sum(w.reported for w in parts), sum(w.figures for w in parts)
    yield f'<text x="{x:g}" y="{y + 2:g}" font-size="34" font-weight="600" text-anchor="middle">{reported}</text>'
    yield f'<text x="{x:g}" y="{y + 24:g}" font-size="14" text-anchor="middle">of {figures} reported</text>'
    yield f'<text x="{x:g}" y="{y + 43:g}" font-size="14" text-anchor="middle">{len(scores.items)} scored</text>'


def _legend() -> Iterator[str]:
    bottom = SIZE[1] - 52
    yield f'<g font-size="14"><text x="28" y="{bottom}">Share of target:</text>'
    for i, band in enumerate((4, 3, 2, 1)):
        x = 150 + 120 * i
        yield f'<rect x="{x}" y="{bottom - 12}" width="14" height="14" fill="{COLOURS[band]}"/>'
        yield f'<text x="{x + 20}" y="{bottom}">{BANDS[band - 1]}</text>'
    yield f'<rect x="640" y="{bottom - 9}" width="26" height="8" fill="#546e7a"/>'
    yield f'<text x="674" y="{bottom}">share of figures reported</text></g>'
    yield f'<text x="28" y="{bottom + 28}" font-size="13">{escape(OUR_CHOICE[0].upper() + OUR_CHOICE[1:])}.</text>'
