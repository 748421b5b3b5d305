"""The electricity of the grid has another emission factor."""

from __future__ import annotations

from typing import Annotated

import msgspec

from planning.situation import Situation
from telemetry.periods import local_date


class Options(msgspec.Struct, frozen=True):
    """kg CO2e a kWh, and where that comes from."""

    kg_per_kwh: Annotated[float, msgspec.Meta(ge=0)]
    source: str = ""


def apply(now: Situation, options: Options) -> Situation:
    """Set the factor for the period's years."""
    first, last = (local_date(t, now.city.zone).year for t in (now.period.start, now.period.end - 1))
    factors = now.city.city.emission_factors | {str(year): options.kg_per_kwh for year in range(first, last + 1)}
    numbers = now.city.city.model_copy(update={"emission_factors": factors})
    note = f"grid factor {options.kg_per_kwh:g} kg/kWh" + (f" ({options.source})" if options.source else "")
    return now.but(note, city=now.city.model_copy(update={"city": numbers}))
