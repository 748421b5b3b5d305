"""The air at this moment: the band of the European index, the pollutants against their guidelines, the last 24 hours.

Bands and stations are those of the KPI LOCAL:AQ:EAQI; nothing is calculated in a second way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from api.now.guidelines import DAY as DAY_GUIDELINE
from api.now.guidelines import OZONE_8H
from api.now.guidelines import YEAR as YEAR_GUIDELINE
from api.now.recent import Seen
from kpi_derivation.engine.days.blocks import LEAD
from kpi_derivation.engine.families.air import running_means
from kpi_derivation.rules.air.indices import EUROPE, european_band
from kpi_derivation.rules.air.stations import QUANTITIES, kinds_of
from planning.measured import view_of
from telemetry.kpi_value import KpiValue
from telemetry.periods import Period, iso
from telemetry.series import FloatArray
from telemetry.windows import DAY, HOUR

Values = dict[tuple[str, str, str], KpiValue]  # (code, part, kind) -> the newest value
_INDEX, _MEAN = "LOCAL:AQ:EAQI", "EN:EN:AQ:1C"


def air(values: Values, seen: Seen, now: int) -> dict[str, Any] | None:
    """The card of the air; None for a city without a station."""
    index = values.get((_INDEX, "", "24h"))
    known = [part for part in QUANTITIES if (_MEAN, part, "24h") in values]
    if (index is None or index.reason == "no_device") and not known:
        return None
    index = index or values[_MEAN, known[0], "24h"]
    hours, ozone = bands(seen, now), eight_hours(seen, now)
    return {
        "band": None if index.value is None or index.code != _INDEX else int(index.value),
        "yesterday": hours[0]["band"] if hours else None,
        **sure(index),
        "of": index.notes.partition(":")[2].partition(";")[0].strip(),
        "pollutants": [_pollutant(values, part, ozone) for part in known],
        "hours": hours[1:],
        "year": [_yearly(values, part) for part in YEAR_GUIDELINE if (_MEAN, part, "365d") in values],
    }


def sure(value: KpiValue) -> dict[str, Any]:
    """How certain a value is, for the foot of every card."""
    return {
        "coverage": value.coverage, "status": value.status, "reason": value.reason, "n_devices": value.n_devices,
        "notes": value.notes,
    }  # fmt: skip


def _pollutant(values: Values, part: str, ozone: float | None) -> dict[str, Any]:
    """A pollutant's mean of 24 hours; of ozone the highest of 8 hours too, as its guideline is one for 8 hours."""
    value = values[_MEAN, part, "24h"]
    eight = {"highest_8h": ozone, "limit_8h": OZONE_8H} if part == "o3" else {}
    limit = DAY_GUIDELINE.get(part)
    return {"part": part, "value": value.value, "unit": value.unit, "limit": limit, **eight, **sure(value)}


def eight_hours(seen: Seen, now: int) -> float | None:
    """The highest 8-hour mean of ozone that ended in the last 24 full hours, mean of the stations; None without any."""
    end = now // HOUR * HOUR
    view = view_of(seen.engine, Period("24h", "24h", end - DAY, end), now)
    kinds, _ = kinds_of(view, "o3")
    highest = np.fmax.reduce(running_means(view.hourly("o3", kinds, LEAD)), axis=1, initial=-np.inf)
    there = highest[highest > -np.inf]
    return float(there.mean()) if len(there) else None


def _yearly(values: Values, part: str) -> dict[str, Any]:
    value = values[_MEAN, part, "365d"]
    return {"part": part, "value": value.value, "unit": value.unit, "limit": YEAR_GUIDELINE[part], **sure(value)}


def bands(seen: Seen, now: int) -> list[dict[str, Any]]:
    """The band of each of the last 25 full hours: worst pollutant at the worst station; None without a valid mean."""
    end = now // HOUR * HOUR
    view = view_of(seen.engine, Period("24h", "24h", end - DAY - HOUR, end), now)
    worst: FloatArray = np.full(25, np.nan)
    for quantity in EUROPE:
        kinds, _ = kinds_of(view, quantity)
        means = view.hourly(quantity, kinds)
        for row in means:
            found = [np.nan if np.isnan(mean) else european_band(quantity, mean) for mean in row[-25:]]
            worst[-len(found) :] = np.fmax(worst[-len(found) :], found)
    starts = [end - (25 - i) * HOUR for i in range(25)]
    return [
        {"start": iso(t), "band": None if np.isnan(b) else int(b)} for t, b in zip(starts, worst.tolist(), strict=True)
    ]
