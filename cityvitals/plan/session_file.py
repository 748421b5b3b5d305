"""Charging sessions from a recorded file: `start,end,device,energy_kwh,user_hash`."""

from __future__ import annotations

from pathlib import Path

from gateway.recorded import read
from planning.charging.sessions import Sessions
from telemetry.errors import Rejected, UsageError
from telemetry.stamps import read_stamp

_SHOWN = 3


def read_sessions(path: Path) -> tuple[Sessions, list[str]]:
    """The sessions of a file, and a sentence for each row that could not be used. Raises UsageError.

    A row without an energy, or whose end lies before its start, is left out; an empty end or user is unknown.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    start: list[int] = []
    end: list[int | None] = []
    kwh: list[float] = []
    user: list[str] = []
    bad: list[str] = []
    for chunk in read(path):
        if not chunk.is_sessions:
            raise UsageError(f"{path}, line 1: sessions have the header start,end,device,energy_kwh,user_hash.")
        bad += [f"{path.name}, line {b.line}: {b.reason}" for b in chunk.invalid]
        for line, row in zip(chunk.lines, chunk.rows(), strict=True):
            try:
                a, b, energy = _session(row)
            except (Rejected, ValueError) as error:
                bad.append(f"{path.name}, line {line}: {error}")
                continue
            start.append(a)
            end.append(b)
            kwh.append(energy)
            user.append(row[4].strip())
    if not start:
        raise UsageError(f"{path} has no charging session that can be used. {' '.join(bad[:_SHOWN])}".strip())
    return Sessions.of(start, end, kwh, user), bad


def _session(row: tuple[str, ...]) -> tuple[int, int | None, float]:
    start, end = read_stamp(row[0]), read_stamp(row[1]) if row[1].strip() else None
    energy = float(row[3])
    if not 0.0 <= energy < 1000.0:
        raise ValueError(f"energy {row[3]} kWh is not plausible for a session")
    if end is not None and end < start:
        raise ValueError("the session ends before it starts")
    return start, end, energy
