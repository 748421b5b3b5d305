"""The city's targets beside its KPI values, as fields that dashboards read: `target`, `better`, `verdict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.points import Point, beside_value
from kpi_derivation.verdicts import Goals, beside
from telemetry.kpi_value import StoredKpi


def rows(values: Iterable[StoredKpi], wanted: Goals) -> Iterator[Point]:
    """Fields for the rows of these values; also of those without a target, because a target may have been removed."""
    for stored in values:
        yield beside_value(stored.kpi, beside(stored.kpi, wanted))
