"""Charging sessions from a recorded file: `start,end,device,energy_kwh,user_hash`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.recorded import read
from planning.charging.session_rows import read_rows
from planning.charging.sessions import Sessions
from telemetry.errors import UsageError


def read_sessions(path: Path) -> tuple[Sessions, list[str]]:
    """The sessions of a file, and a sentence for each row that could not be used. Raises UsageError.

    A row without an energy, or whose end lies before its start, is left out; an empty end or user is unknown.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    invalid: list[str] = []

    def rows() -> Iterator[tuple[int, tuple[str, ...]]]:
        for chunk in read(path):
            if not chunk.is_sessions:
                raise UsageError(f"{path}, line 1: sessions have the header start,end,device,energy_kwh,user_hash.")
            invalid.extend(f"{path.name}, line {b.line}: {b.reason}" for b in chunk.invalid)
            yield from zip(chunk.lines, chunk.rows(), strict=True)

    found, bad = read_rows(str(path), rows())
    return found, invalid + [f"{path.name}, {sentence}" for sentence in bad]
