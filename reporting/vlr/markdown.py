"""A city's Markdown text as blocks, by markdown-it: headings, paragraphs, lists, tables; HTML stays text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from reporting.vlr.blocks import Block, Bullets, Grid, Heading, Text


def blocks_of(text: str, below: int) -> list[Block]:
    """The blocks; headings are put below the level `below` of the chapter they stand in, at most level 3."""
    return list(_blocks(MarkdownIt("commonmark", {"html": False}).enable("table").parse(text), below))


def _blocks(tokens: Sequence[Token], below: int) -> Iterator[Block]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = _closing(tokens, at)
        inside = tokens[at + 1 : end]
        if token.type == "heading_open":
            yield Heading(min(below + int(token.tag[1:]), 3), _words(inside))
        elif token.type == "paragraph_open":
            yield Text(_words(inside))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            yield Bullets(tuple(_items(inside)))
        elif token.type == "table_open":
            yield _grid(inside)
        elif token.type == "blockquote_open":
            yield from _blocks(inside, below)
        elif token.type in ("fence", "code_block"):
            yield Text(token.content.strip())
        at = end + 1


def _closing(tokens: Sequence[Token], at: int) -> int:
    """The place of the token that closes the one at `at`; itself where it opens nothing."""
    if tokens[at].nesting != 1:
        return at
    return next(
        i for i in range(at + 1, len(tokens)) if tokens[i].nesting == -1 and tokens[i].level == tokens[at].level
    )


def _words(tokens: Sequence[Token]) -> str:
    found = []
    for token in tokens:
        for child in token.children or []:
            found.append(" " if child.type in ("softbreak", "hardbreak") else child.content)
    return "".join(found).strip()


def _items(tokens: Sequence[Token]) -> Iterator[str]:
    for at, token in enumerate(tokens):
        if token.type == "list_item_open" and token.level == tokens[0].level:
            yield _words(tokens[at : _closing(tokens, at)])


def _grid(tokens: Sequence[Token]) -> Grid:
    rows: list[list[str]] = []
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(_words(tokens[at : at + 2]))
    return Grid(tuple(rows[0]), tuple(tuple(r) for r in rows[1:]), (1.0,) * len(rows[0]))
