"""Emission factors: dated configuration with a source, never a constant. Pure."""

from __future__ import annotations

from kpi_derivation.engine.view import View
from telemetry.periods import local_date


def factor(view: View) -> tuple[float | None, str]:
    """kg CO2e per kWh for the period's year, and which factor that is.

    A factor of `emission_factors` for the year in which the period ends goes before `emission_factor_kg_per_kwh`.
    """
    city, year = view.city.city, str(local_date(view.period.end - 1, view.city.zone).year)
    if year in city.emission_factors:
        return city.emission_factors[year], f"factor {city.emission_factors[year]:g} kg/kWh of {year}"
    general = city.emission_factor_kg_per_kwh
    if general is None:
        return None, f"set emission_factor_kg_per_kwh, or emission_factors with {year}, in [city]"
    dated = view.city.documented.get("emission_factor_kg_per_kwh_year")
    return general, f"factor {general:g} kg/kWh{f' of {dated}' if dated else ', undated'}"
