"""City x category: the score of each of the 22 categories in each city, as rows and as a picture. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import msgspec

from reporting.region.table import Member
from reporting.wheel import COLOURS

_CELL, _LEFT, _TOP = 26, 190, 190


class HeatMap(msgspec.Struct, frozen=True, kw_only=True):
    """`shares[city][category]`: points over 4 x scored figures, 0.25 to 1; None where nothing is scored."""

    categories: tuple[str, ...]
    cities: tuple[str, ...]
    names: tuple[str, ...]
    shares: tuple[tuple[float | None, ...], ...]
    bands: tuple[tuple[int | None, ...], ...]


def heat_map(members: Sequence[Member]) -> HeatMap:
    """The cities in the order of their id."""
    ordered = sorted(members, key=lambda m: m.id)
    categories = tuple(ordered[0].scores.categories) if ordered else ()
    return HeatMap(
        categories=categories, cities=tuple(m.id for m in ordered), names=tuple(m.city.city.name for m in ordered),
        shares=tuple(tuple(m.scores.categories[c].share for c in categories) for m in ordered),
        bands=tuple(tuple(m.scores.categories[c].band for c in categories) for m in ordered),
    )  # fmt: skip


def picture(found: HeatMap, title: str) -> str:
    """An SVG with a title for each cell; bands have a number, so that it can be read without colours."""
    width = _LEFT + _CELL * len(found.categories) + 20
    height = _TOP + _CELL * len(found.cities) + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="#263238"><title>{escape(title)}</title>'
    )
    return "\n".join(
        [head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *_labels(found), *_cells(found), "</svg>\n"]
    )


def _labels(found: HeatMap) -> Iterator[str]:
    for i, name in enumerate(found.categories):
        x = _LEFT + _CELL * i + 17
        yield f'<text x="{x}" y="{_TOP - 8}" transform="rotate(-60 {x} {_TOP - 8})">{escape(name)}</text>'
    for i, name in enumerate(found.names):
        yield f'<text x="{_LEFT - 8}" y="{_TOP + _CELL * i + 17}" text-anchor="end">{escape(name[:28])}</text>'


def _cells(found: HeatMap) -> Iterator[str]:
    for row, (name, shares, bands) in enumerate(zip(found.names, found.shares, found.bands, strict=True)):
        for column, (share, band) in enumerate(zip(shares, bands, strict=True)):
            said = "not scored" if share is None else f"{100 * share:.0f} %"
            ink = "#ffffff" if band in (1, 4) else "#263238"
            x, y = _LEFT + _CELL * column, _TOP + _CELL * row
            yield (
                f"<g><title>{escape(name)}, {escape(found.categories[column])}: {said}</title>"
                f'<rect x="{x}" y="{y}" width="{_CELL - 2}" height="{_CELL - 2}" fill="{COLOURS[band]}"/>'
                f'<text x="{x + 12}" y="{y + 16}" text-anchor="middle" fill="{ink}">'
                f"{band or ''}</text></g>"
            )
