"""The air at this moment: the band of the European index, the pollutants against their guidelines, the last 24 hours.

Bands and stations are those of the KPI LOCAL:AQ:EAQI; nothing is calculated in a second way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from api.now.guidelines import DAY as DAY_GUIDELINE
from api.now.guidelines import YEAR as YEAR_GUIDELINE
from api.now.recent import Seen
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
    hours = bands(seen, now)
    return {
        "band": None if index.value is None or index.code != _INDEX else int(index.value),
        "yesterday": hours[0]["band"] if hours else None,
        **sure(index),
        "of": index.notes.partition(":")[2].partition(";")[0].strip(),
        "pollutants": [_pollutant(values, part) for part in known],
        "hours": hours[1:],
        "year": [_yearly(values, part) for part in YEAR_GUIDELINE if (_MEAN, part, "365d") in values],
    }


def sure(value: KpiValue) -> dict[str, Any]:
    """How sure a value is: what every card says in its foot."""
    return {
        "coverage": value.coverage, "status": value.status, "reason": value.reason, "n_devices": value.n_devices,
        "notes": value.notes,
    }  # fmt: skip


def _pollutant(values: Values, part: str) -> dict[str, Any]:
    value = values[_MEAN, part, "24h"]
    return {"part": part, "value": value.value, "unit": value.unit, "limit": DAY_GUIDELINE.get(part), **sure(value)}


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
