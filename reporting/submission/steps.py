"""The states of a reported figure, from its log and from what is stored. Pure.

A draft is in the log only: it is not published, scored or packed. A submitted figure is the city's value. A verified
one was confirmed by another person. The stored figure decides: where it is not the one that a step is about (it was
imported since), it counts as submitted by nobody known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from adapters.store import LogEntry
from reporting.figures.reported import Reported

State = Literal["draft", "submitted", "verified"]
Did = Literal[State, "withdrawn"]  # a withdrawn draft leaves the figure as it was before
Name = tuple[str, str, int]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the history: what somebody did, at `time` (ms UTC), and the figure as it was then."""

    time: int
    state: Did
    who: str
    figure: Reported


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A figure now. `figure`: the city's value, None for a draft only; `draft`: what is not submitted yet.

    `who` and `time` are of the step that made the state; empty and 0 where it was stored without one.
    """

    code: str
    part: str
    year: int
    state: State
    who: str = ""
    time: int = 0
    figure: Reported | None = None
    draft: Reported | None = None
    steps: tuple[Step, ...] = ()


def name_of(figure: Reported) -> Name:
    """What identifies a figure of a city."""
    return (figure.code, figure.part, figure.year)


def as_entry(city: str, step: Step) -> LogEntry:
    """A step as it is stored."""
    code, part, year = name_of(step.figure)
    plain = {"state": step.state, "who": step.who, "figure": _plain(step.figure)}
    return LogEntry(city, f"{code} {part} {year}", step.time, msgspec.json.encode(plain).decode())


def step_of(entry: LogEntry) -> Step:
    """The step of an entry. Raises ValueError for one that another program wrote."""
    return msgspec.convert(msgspec.json.decode(entry.text) | {"time": entry.time}, Step)


def steps_of(entries: Iterable[LogEntry]) -> dict[Name, list[Step]]:
    """The steps of each figure, oldest first. `entries`: sorted by figure and time."""
    found: dict[Name, list[Step]] = {}
    for step in map(step_of, entries):
        found.setdefault(name_of(step.figure), []).append(step)
    return found


def statuses(log: Iterable[LogEntry], stored: Iterable[Reported], year: int | None = None) -> list[Status]:
    """The state of every figure that is stored or a draft; `year`: only of this one. Sorted by year and code."""
    steps = steps_of(log)
    known = {name_of(f): f for f in stored}
    names = sorted((name for name in steps.keys() | known.keys() if year in (None, name[2])), key=_in_order)
    found = (status_of(name, steps.get(name, []), known.get(name)) for name in names)
    return [s for s in found if s.figure is not None or s.draft is not None]


def status_of(name: Name, steps: Sequence[Step], stored: Reported | None) -> Status:
    """The state of one figure. `steps`: oldest first."""
    last = steps[-1] if steps else None
    draft = last if last and last.state == "draft" and not same(last.figure, stored) else None
    of_stored = (s for s in reversed(steps) if s.state in ("submitted", "verified") and same(s.figure, stored))
    made = draft if stored is None else next(of_stored, None)
    code, part, year = name
    return Status(
        code=code, part=part, year=year, state=_state(made, stored), who=made.who if made else "",
        time=made.time if made else 0, figure=stored, draft=draft.figure if draft else None, steps=tuple(steps),
    )  # fmt: skip


def _state(made: Step | None, stored: Reported | None) -> State:
    if stored is None:
        return "draft"
    return "verified" if made is not None and made.state == "verified" else "submitted"


def same(a: Reported, b: Reported | None) -> bool:
    """Whether two are the same figure, wherever they stood."""
    return b is not None and _plain(a) == _plain(b)


def _plain(figure: Reported) -> Reported:
    return msgspec.structs.replace(figure, line=0)


def _in_order(name: Name) -> tuple[int, str, str]:
    return (name[2], name[0], name[1])
