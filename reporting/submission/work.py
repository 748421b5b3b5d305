"""What officers do with figures: keep drafts, submit, verify. Each is all or nothing, and leaves a step in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from adapters.store import LogEntry, Store
from registry.city import City
from reporting.figures.figures import Figure
from reporting.figures.reported import Reported
from reporting.figures.stored import reported_among
from reporting.report import Outcome, checked, findings_of, outcome, report_figures
from reporting.submission.steps import Did, Name, Status, Step, as_entry, name_of, same, statuses, steps_of
from telemetry.errors import UsageError, nearest
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.periods import Period

_LONGEST_NAME = 100


class Figures(Protocol):
    """A store, or the API's shared one."""

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """The KPI values of a query."""

    def figure_log(self, city: str) -> list[LogEntry]:
        """The city's log of reported figures."""


def statuses_of(store: Figures, city: City, year: int | None = None) -> list[Status]:
    """The state of every figure of a city."""
    return statuses(store.figure_log(city.id), reported_among(store.kpis(KpiQuery(city.id, ["year"]))), year)


def with_states(store: Figures, city: City, figures: Sequence[Figure], period: Period) -> list[Figure]:
    """The figures of a year, each with the state of what officers entered; of other periods there is none."""
    if period.kind != "year":
        return list(figures)
    known = {(s.code, s.part): s.state for s in statuses_of(store, city, int(period.label))}
    return [msgspec.structs.replace(f, state=known.get((f.code, f.part), "")) for f in figures]


def named(who: str) -> str:
    """The name of the person. Raises UsageError where there is none."""
    text = " ".join(who.split())
    if not text or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise UsageError("Name the person who does this, in up to 100 printable characters (--who).")
    return text


def only_check(store: Store, city: City, given: Sequence[Reported], path: str, strict: bool = False) -> Outcome:
    """Check figures as `submit` does, and store nothing. Raises UsageError as it does."""
    return outcome(store, city, given, 0, checked(store, city, given, path, strict))


def keep_drafts(store: Store, city: City, given: Sequence[Reported], path: str, who: str, now: int) -> Outcome:
    """Keep figures that are not the city's yet; what breaks a rule is among the findings. `now`: ms UTC."""
    name = named(who)
    if not given:
        raise UsageError(f"{path} contains no figures; fill in at least one row below the headings.")
    findings = findings_of(store, city, given)
    known = _by_name(statuses_of(store, city))
    new = [f for f in given if not _is_draft(known.get((f.code, f.part, f.year)), f)]
    _put(store, city, new, "draft", name, now)
    return outcome(store, city, given, len(new), findings)


def _is_draft(status: Status | None, figure: Reported) -> bool:
    return status is not None and status.draft is not None and same(figure, status.draft)


def submit(
    store: Store, city: City, given: Sequence[Reported], path: str, who: str, now: int, strict: bool = False
) -> Outcome:
    """Check and store figures as the city's, all or none. Raises UsageError with a sentence for each rejected one."""
    name = named(who)
    done = report_figures(store, city, given, path, now, strict)
    known = _by_name(statuses_of(store, city))
    new = [f for f in given if not _is_submitted(known[f.code, f.part, f.year])]
    _put(store, city, new, "submitted", name, now)
    return done


def _is_submitted(status: Status) -> bool:
    return bool(status.time) and status.draft is None


def submit_drafts(store: Store, city: City, year: int, who: str, now: int, strict: bool = False) -> Outcome:
    """Submit all drafts of a year. Raises UsageError where there is none, or one breaks a rule."""
    drafts = [s.draft for s in statuses_of(store, city, year) if s.draft is not None]
    if not drafts:
        raise UsageError(f"{city.city.name} has no draft of {year}.")
    return submit(store, city, drafts, f"the drafts of {year}", who, now, strict)


def verify(store: Store, city: City, wanted: Sequence[tuple[str, str]], year: int, who: str, now: int) -> int:
    """Confirm submitted figures, all or none; returns how many were not verified before. `wanted`: (code, part).

    Raises UsageError with a sentence for each that cannot be verified: not submitted, or submitted by the same person.
    """
    name = named(who)
    known = _by_name(statuses_of(store, city, year))
    wrong = [s for code, part in wanted for s in _cannot_verify(known, code, part, year, name)]
    if wrong or not wanted:
        raise UsageError("\n".join(wrong) or "Name at least one figure.")
    found = [known[code, part, year] for code, part in dict.fromkeys(wanted)]
    new = [s.figure for s in found if s.state != "verified" and s.figure is not None]
    _put(store, city, new, "verified", name, now)
    return len(new)


def _cannot_verify(known: dict[Name, Status], code: str, part: str, year: int, who: str) -> Iterable[str]:
    figure = f"{code} {part}".rstrip()
    status = known.get((code, part, year))
    if status is None:
        there = [f"{s.code} {s.part}".rstrip() for s in known.values() if s.figure is not None]
        end = nearest(figure, there) if there else "none is submitted."
        yield f"{figure} has no figure of {year}; {end}"
    elif status.figure is None:
        yield f"{figure} of {year} is a draft; submit it first."
    elif status.draft is not None:
        yield f"{figure} of {year} has a draft that differs from it; submit or withdraw the draft first."
    elif status.state == "submitted" and status.who == who:
        yield f"{figure} of {year} was submitted by {who}; another person verifies it."


def may_be(work: object, store: Figures, city: City, year: int, who: str) -> list[tuple[str, str]]:
    """All figures of a year on which `verify` or `withdraw` may work. Raises UsageError where there is none."""
    found = statuses_of(store, city, year)
    if work is withdraw:
        ready = [s for s in found if s.draft is not None]
    else:
        ready = [s for s in found if s.state == "submitted" and s.draft is None and s.who != named(who)]
    if not ready:
        what = f"draft of {year}" if work is withdraw else f"submitted figure of {year} that {named(who)} may verify"
        raise UsageError(f"{city.city.name} has no {what}.")
    return [(s.code, s.part) for s in ready]


def withdraw(store: Store, city: City, wanted: Sequence[tuple[str, str]], year: int, who: str, now: int) -> int:
    """Drop drafts, all or none; submitted figures stay. Raises UsageError for a figure without a draft."""
    name = named(who)
    known = _by_name(statuses_of(store, city, year))
    drafts = []
    for code, part in dict.fromkeys(wanted):
        status = known.get((code, part, year))
        if status is None or status.draft is None:
            raise UsageError(f"{code} {part}".rstrip() + f" of {year} has no draft.")
        drafts.append(status.draft)
    _put(store, city, drafts, "withdrawn", name, now)
    return len(drafts)


def _by_name(found: Iterable[Status]) -> dict[Name, Status]:
    return {(s.code, s.part, s.year): s for s in found}


def _put(store: Store, city: City, figures: Iterable[Reported], state: Did, who: str, now: int) -> None:
    """Add a step for each figure, after all steps that it has, whatever the clock shows."""
    known = steps_of(store.figure_log(city.id))
    entries = []
    for figure in figures:
        before = known.get(name_of(figure))
        time = max(now, before[-1].time + 1) if before else now
        plain = msgspec.structs.replace(figure, line=0)
        entries.append(as_entry(city.id, Step(time=time, state=state, who=who, figure=plain)))
    store.put_log(entries)
