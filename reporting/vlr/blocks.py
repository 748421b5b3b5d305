"""The parts of a document, which DOCX and PDF are both made of. Pure values."""

from __future__ import annotations

import msgspec


class Heading(msgspec.Struct, frozen=True):
    """Level 1 to 3."""

    level: int
    text: str


class Text(msgspec.Struct, frozen=True):
    """A paragraph. `kind`: text, small, or gap: something that the city has not provided."""

    text: str
    kind: str = "text"


class Bullets(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[str, ...]


class Grid(msgspec.Struct, frozen=True):
    """A table; `widths`: relative."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]


class Picture(msgspec.Struct, frozen=True):
    """A PNG with its text alternative."""

    png: bytes
    alternative: str


class PageBreak(msgspec.Struct, frozen=True):
    """A new page."""


Block = Heading | Text | Bullets | Grid | Picture | PageBreak
