"""The snapshot by sub-dimension: 7 of them with their 27 category blocks, as the publisher's City Snapshot shows it.

As an SVG picture with a complete text alternative. A block's bar is its score; a number gives its band. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import msgspec

from reporting.figures.figures import Figure, official
from reporting.scoring import BANDS, OUR_CHOICE, Score, Scored, total
from reporting.targets import Scores
from reporting.wheel import COLOURS

_WIDTH, _LINE, _BAR, _LEFT = 940, 24, 300, 330


class CategoryBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A category within a sub-dimension."""

    category: str
    score: Score
    reported: int
    figures: int


class SubDimension(msgspec.Struct, frozen=True, kw_only=True):
    """One of the seven."""

    dimension: str
    name: str
    score: Score
    blocks: tuple[CategoryBlock, ...]


def sub_dimensions(figures: Sequence[Figure], scores: Scores) -> list[SubDimension]:
    """All seven with their blocks, in the catalogue's order."""
    grouped: dict[tuple[str, str], dict[str, list[Figure]]] = {}
    for figure in official(figures):
        kpi = figure.kpi
        grouped.setdefault((kpi.dimension, kpi.sub_dimension), {}).setdefault(kpi.category, []).append(figure)
    return [
        SubDimension(
            dimension=dimension, name=name, score=total(_items([f for fs in blocks.values() for f in fs], scores)),
            blocks=tuple(_block(category, mine, scores) for category, mine in blocks.items()),
        )
        for (dimension, name), blocks in grouped.items()
    ]  # fmt: skip


def _block(category: str, figures: Sequence[Figure], scores: Scores) -> CategoryBlock:
    reported = sum(f.value is not None for f in figures)
    return CategoryBlock(
        category=category, score=total(_items(figures, scores)), reported=reported, figures=len(figures)
    )


def _items(figures: Sequence[Figure], scores: Scores) -> list[Scored]:
    return [scores.items[f.code, f.part] for f in figures if (f.code, f.part) in scores.items]


def sentence(name: str, score: Score) -> str:
    """A score as text."""
    if score.share is None or score.band is None:
        return f"{name}: not scored"
    return f"{name}: {100 * score.share:.4g} % (band {BANDS[score.band - 1]}, {score.items} scored figures)"


def picture(city: str, period: str, found: Sequence[SubDimension]) -> str:
    """The SVG."""
    lines = sum(1 + len(s.blocks) for s in found)
    height = 110 + _LINE * lines + 10 * len(found)
    title = escape(f"{city}, {period}: performance by sub-dimension")
    words = [
        sentence(s.name, s.score) + ". " + "; ".join(sentence(b.category, b.score) for b in s.blocks) for s in found
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="14" fill="#263238">'
    )
    parts = (
        head,
        f'<title id="title">{title}</title>', f'<desc id="desc">{escape(". ".join((*words, OUR_CHOICE)))}.</desc>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="24" y="40" font-size="24" font-weight="600">{title}</text>',
        *_rows(found), *_legend(height), "</svg>\n",
    )  # fmt: skip
    return "\n".join(parts)


def _rows(found: Sequence[SubDimension]) -> Iterator[str]:
    y = 80
    for part in found:
        yield from _row(y, f"{part.dimension}: {part.name}", part.score, "600", "")
        for block in part.blocks:
            y += _LINE
            yield from _row(y, block.category, block.score, "400", f"{block.reported} of {block.figures} reported")
        y += _LINE + 10


def _row(y: int, name: str, score: Score, weight: str, remark: str) -> Iterator[str]:
    yield f'<text x="{_LEFT - 10}" y="{y}" text-anchor="end" font-weight="{weight}">{escape(name)}</text>'
    yield f'<rect x="{_LEFT}" y="{y - 13}" width="{_BAR}" height="16" fill="{COLOURS[None]}"/>'
    if score.share is not None and score.band is not None:
        width = _BAR * score.share
        yield f'<rect x="{_LEFT}" y="{y - 13}" width="{width:.1f}" height="16" fill="{COLOURS[score.band]}"/>'
    said = "not scored" if score.share is None else f"{100 * score.share:.0f} %, band {BANDS[(score.band or 1) - 1]}"
    yield f'<text x="{_LEFT + _BAR + 12}" y="{y}">{said}{escape("; " + remark if remark else "")}</text>'


def _legend(height: int) -> Iterator[str]:
    yield f'<text x="24" y="{height - 14}" font-size="12">{escape(OUR_CHOICE)}</text>'
