"""The city's targets beside its KPI values, as fields that dashboards read: `target`, `better`, `verdict`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from adapters.points import Judged, Point, beside_value
from kpi_derivation.verdicts import Goals, beside
from telemetry.kpi_value import StoredKpi


def rows(values: Iterable[StoredKpi], wanted: Goals) -> Iterator[Point]:
    """Fields for the rows of these values; also of those without a target, because a target may have been removed."""
    for stored in values:
        yield beside_value(stored.kpi, beside(stored.kpi, wanted))


def named(wanted: Goals) -> str:
    """A name of these targets and of the rules that verdicts are made by, those of this version of the program."""
    return hashlib.sha256(repr((version("cityvitals"), sorted(wanted.items()))).encode()).hexdigest()[:16]


def judged(wanted: Goals, values: Iterable[StoredKpi], before: Judged | None = None) -> Judged:
    """To be noted when the rows of these values are written, behind what was noted before."""
    newest = max((v.updated for v in values), default=0)
    return Judged(named(wanted) if before is None else before.by, max(newest, before.to if before else 0))
