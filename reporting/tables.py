"""Rows as table, JSON or CSV: the three forms in which commands print lines. Pure."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Mapping, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size

from telemetry.errors import UsageError, nearest

FORMATS = ("table", "json", "csv")
_GAP = "  "
_NOTES = 40  # a last column narrower than this is not readable
_NUMBER = re.compile(r"[-+]?[\d.,/]+(?:e[-+]?\d+)?(?: ?%)?")


def check_form(form: str) -> None:
    """Raises UsageError for a format that is not one of the three."""
    if form not in FORMATS:
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, FORMATS)}")


def printed(form: str, content: object, rows: Sequence[Sequence[str]], width: int, foot: str = "") -> str:
    """`content` as JSON, or `rows` (the first is the head) as CSV or as a table with a line below it."""
    check_form(form)
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"
    out = io.StringIO()
    if form == "csv":
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue()
    head, *body = rows
    return table(head, body, width) + (f"\n{wrapped(f'{foot}.', width)}" if foot else "")


def table(head: Sequence[str], body: Sequence[Sequence[str]], width: int) -> str:
    """Rows in columns, no line longer than `width` cells; columns of numbers are aligned to the right.

    Where the columns do not fit, a row has those that fit in one line, and the others below it as `name: text`.
    """
    rows = [[" ".join(cell.split()) for cell in row] for row in body]
    sizes = _whole(head, rows, width) or _fitting(head, rows, width)
    right = {i for i in sizes if rows and all(_NUMBER.fullmatch(row[i]) or row[i] in ("", "-") for row in rows)}
    lines = [_line(head, sizes, right, width)]
    for row in rows:
        long = [i for i, cell in enumerate(row) if cell and cell_len(cell) > sizes.get(i, 0)]
        lines.append(_line(["" if i in long else cell for i, cell in enumerate(row)], sizes, right, width))
        if long:
            lines.append(wrapped("; ".join(f"{head[i]}: {row[i]}" for i in long), width, "    ").rstrip("\n"))
    return "\n".join(lines) + "\n"


def wrapped(text: str, width: int, indent: str = "") -> str:
    """The text in lines of at most `width` characters, each after `indent`."""
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) + "\n"


def fitted(text: str, width: int) -> str:
    """The text with each line that is longer than `width` continued below itself, further in."""
    return "".join(_fitted(line, width) for line in text.splitlines(keepends=True))


def _fitted(line: str, width: int) -> str:
    bare = line.rstrip("\n")
    if cell_len(bare) <= width:
        return line
    indent = bare[: len(bare) - len(bare.lstrip())]
    words = textwrap.wrap(
        bare.lstrip(), width, initial_indent=indent, subsequent_indent=f"{indent}    ", break_on_hyphens=False
    )
    return "\n".join(words) + "\n"


def _whole(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """Column and size of all columns, where they fit; the last one may continue below itself."""
    sizes = [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]
    used = sum(sizes) + len(_GAP) * (len(sizes) - 1)
    return dict(enumerate(sizes)) if used - sizes[-1] + min(sizes[-1], _NOTES) <= width else {}


def _fitting(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """Column and size of those that fit into one line, in order; a column of long texts is left for below."""
    sizes, used = {}, -len(_GAP)
    for i, cells in enumerate(zip(*rows, strict=True)):
        filled = [cell_len(cell) for cell in cells if cell]
        short = [n for n in filled if n <= (width // 2 if i == 0 else width // 5)]
        size = max([cell_len(head[i]), *short])
        if 2 * len(short) >= len(filled) > 0 and used + len(_GAP) + size <= width:
            sizes[i], used = size, used + len(_GAP) + size
    return sizes or {0: width}


def _line(row: Sequence[str], sizes: Mapping[int, int], right: set[int], width: int) -> str:
    """One row; the last column continues below itself where it is too long."""
    *first, last = sizes
    start = "".join(_cell(row[i], sizes[i], i in right) + _GAP for i in first)
    room = max(1, width - cell_len(start))
    if cell_len(row[last]) <= room:
        return (start + _cell(row[last], min(room, sizes[last]), last in right)).rstrip()
    text = textwrap.wrap(row[last], room, break_on_hyphens=False)
    return "\n".join([start + text[0], *(" " * cell_len(start) + more for more in text[1:])])


def _cell(text: str, size: int, right: bool) -> str:
    """The text filled with blanks to `size` cells."""
    missing = max(0, size - cell_len(text))
    return " " * missing + text if right else set_cell_size(text, cell_len(text) + missing)


def number(value: float | None) -> str:
    """A number for a table; empty where there is none."""
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
