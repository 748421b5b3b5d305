"""The city's targets beside its KPI values, as fields that dashboards read: `target`, `better`, `verdict`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from adapters.points import Judged, Point, beside_value
from adapters.program import digest
from kpi_derivation.verdicts import Goals, beside
from telemetry.kpi_value import StoredKpi


def rows(values: Iterable[StoredKpi], wanted: Goals) -> Iterator[Point]:
    """Fields for the rows of these values; also of those without a target, because a target may have been removed."""
    for stored in values:
        yield beside_value(stored.kpi, beside(stored.kpi, wanted))


def named(wanted: Goals) -> str:
    """A name of these targets and of the rules that verdicts are made by, those of this program."""
    program = version("cityvitals"), digest("kpi_derivation")
    return hashlib.sha256(repr((*program, sorted(wanted.items()))).encode()).hexdigest()[:16]


def judged_all(wanted: Goals, values: Iterable[StoredKpi]) -> Judged:
    """To be noted when rows are written beside all values that may lack them."""
    return Judged(named(wanted), max((v.updated for v in values), default=0))


def judged_more(before: Judged, values: Iterable[StoredKpi]) -> Judged:
    """To be noted behind it when the rows of these values are written; earlier than before where a clock was ahead."""
    return Judged(before.by, max((v.updated for v in values), default=before.to))
