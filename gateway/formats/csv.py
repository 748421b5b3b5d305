"""Lines of comma-separated values, as data loggers send them: `2026-11-20T10:00:00Z;21,5;43`. Read with a mapping.

The option `columns` names the values of a line; without it the first line of each payload does. `delimiter`: without it
`;` or a tab where the first line has one, else a comma. A line that begins with # is a comment, an empty value is none.
"""

from __future__ import annotations

import csv
from typing import Any

from gateway.formats import Read
from telemetry.errors import Rejected, UsageError

_MOST = 10_000  # lines of a payload


def reader(options: dict[str, Any]) -> Read:
    """A reader with these columns. Raises UsageError for options that mean nothing."""
    if set(options) - {"columns", "delimiter"}:
        raise UsageError("The format 'csv' has the options `columns` and `delimiter`.")
    names, delimiter = options.get("columns"), str(options.get("delimiter", ""))
    if names is not None and not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise UsageError('`columns` of the format \'csv\' is a list of names: columns = ["time", "temperature"].')
    if len(delimiter) > 1:
        raise UsageError("`delimiter` of the format 'csv' is one character.")

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
        return _records(payload, names, delimiter)

    return read


def _records(payload: bytes, names: list[str] | None, delimiter: str) -> list[Any]:
    """One object a line; a line with another number of values stays a list, which the mapping reports."""
    try:
        text = payload.decode("utf-8-sig").strip("\0")
    except UnicodeDecodeError as error:
        raise Rejected(f"not text: {error}") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) > _MOST:
        raise Rejected(f"{len(lines)} lines of CSV in one message; the limit is {_MOST}")
    if not lines:
        return []
    mark = delimiter or next((mark for mark in ";\t" if mark in lines[0]), ",")
    try:
        rows = [[value.strip() for value in row] for row in csv.reader(lines, delimiter=mark)]
    except csv.Error as error:
        raise Rejected(f"not CSV: {error}") from error
    head, rows = (names, rows) if names is not None else (rows[0], rows[1:])
    return [dict(zip(head, row, strict=True)) if len(row) == len(head) else row for row in rows]
