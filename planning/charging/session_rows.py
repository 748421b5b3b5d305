"""Charging sessions from rows of text: what can be used, and a sentence for each row that cannot. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from planning.charging.sessions import Sessions
from telemetry.errors import Rejected, UsageError
from telemetry.stamps import read_stamp

COLUMNS = ("start", "end", "device", "energy_kwh", "user_hash")
_SHOWN = 3
_LARGEST_KWH = 1000.0


def read_rows(name: str, rows: Iterable[tuple[int, tuple[str, ...]]]) -> tuple[Sessions, list[str]]:
    """Sessions of numbered rows in the order of COLUMNS; `name`: of the file. Raises UsageError where none is usable.

    A row without an energy, or whose end lies before its start, is left out; an empty end or user is unknown.
    """
    start: list[int] = []
    end: list[int | None] = []
    kwh: list[float] = []
    user: list[str] = []
    bad: list[str] = []
    for line, row in rows:
        try:
            a, b, energy = _session(row)
        except (Rejected, ValueError) as error:
            bad.append(f"line {line}: {error}")
            continue
        start.append(a)
        end.append(b)
        kwh.append(energy)
        user.append(row[4].strip())
    if not start:
        raise UsageError(f"{name} has no charging session that can be used. {' '.join(bad[:_SHOWN])}".strip())
    return Sessions.of(start, end, kwh, user), bad


def read_text(name: str, text: str) -> tuple[Sessions, list[str]]:
    """Sessions of a CSV file's text, its columns in any order. Raises UsageError."""
    return read_rows(name, _rows(name, text))


def _rows(name: str, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    lines = text.lstrip("\ufeff").splitlines()
    skipped = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    rows = csv.reader(lines[skipped:])
    heads = [head.strip().lower() for head in next(rows, [])]
    if missing := [column for column in COLUMNS if column not in heads]:
        raise UsageError(f"{name}: the header has no {', '.join(missing)}; sessions have {','.join(COLUMNS)}.")
    places = [heads.index(column) for column in COLUMNS]
    for line, row in enumerate(rows, skipped + 2):
        if row:
            yield line, tuple(row[place] if place < len(row) else "" for place in places)


def _session(row: tuple[str, ...]) -> tuple[int, int | None, float]:
    start, end = read_stamp(row[0]), read_stamp(row[1]) if row[1].strip() else None
    try:
        energy = float(row[3])
    except ValueError:
        raise ValueError(f"energy '{row[3]}' is not a number") from None
    if not 0.0 <= energy < _LARGEST_KWH:
        raise ValueError(f"energy {row[3]} kWh is not plausible for a session")
    if end is not None and end < start:
        raise ValueError("the session ends before it starts")
    return start, end, energy
