"""Rows as table, JSON or CSV: the three forms in which commands print lines. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from telemetry.errors import UsageError, nearest

FORMATS = ("table", "json", "csv")


def check_form(form: str) -> None:
    """Raises UsageError for a format that is not one of the three."""
    if form not in FORMATS:
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, FORMATS)}")


def printed(form: str, content: object, rows: Sequence[Sequence[str]], width: int | None, foot: str = "") -> str:
    """`content` as JSON, or `rows` (the first is the head) as CSV or as a table with a line below it."""
    check_form(form)
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"
    out = io.StringIO()
    if form == "csv":
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue()
    head, *body = rows
    table = Table(*head, box=None, header_style="bold", pad_edge=False)
    for row in body:
        table.add_row(*row)
    Console(width=width, file=out, markup=False, highlight=False).print(table)
    return out.getvalue() + (f"\n{foot}.\n" if foot else "")


def number(value: float | None) -> str:
    """A number for a table; empty where there is none."""
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
