"""The figures of a city and period from the store; shared by the reporting commands."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.store import Store
from registry.city import City
from reporting.figures.figures import Figure, figures
from reporting.figures.reported import Reported, from_value, is_reported
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.periods import ROLLING, Period, parse_period


def values_of(store: Store, city: City, period: Period) -> list[KpiValue]:
    """The stored values of a calendar period, derived and reported."""
    return [v.kpi for v in store.kpis(KpiQuery.of_period(city.id, period))]


def calendar(city: City, text: str) -> Period:
    """A calendar period, in the city's time. Raises UsageError, for a rolling one too."""
    if text in ROLLING:
        raise UsageError(f"'{text}' is a rolling period; use a calendar period: 2018, 2018-Q3, 2018-07 or 2018-07-01.")
    return parse_period(text, city.zone)


def figures_of(store: Store, city: City, period_text: str) -> tuple[Period, list[Figure]]:
    """A calendar period and the city's figures in it. Raises UsageError."""
    period = calendar(city, period_text)
    return period, figures(values_of(store, city, period))


def reported_of(store: Store, city: City) -> list[Reported]:
    """All reported figures of a city, of all years."""
    return reported_among(store.kpis(KpiQuery(city.id, ["year"])))


def reported_among(values: Iterable[StoredKpi]) -> list[Reported]:
    """The reported figures among stored values of years."""
    return [from_value(v.kpi) for v in values if is_reported(v.kpi)]
