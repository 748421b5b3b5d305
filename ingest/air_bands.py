"""The European air quality index of every stored hour of every station, so that dashboards need not calculate it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from adapters.points import Point
from kpi_derivation.rules.air.calibration import Calibrations
from kpi_derivation.rules.air.indices import EUROPE
from telemetry.partials import Partials
from telemetry.series import SeriesTable


def bands(
    hours: Partials, table: SeriesTable, calibrations: Calibrations, scales: Mapping[tuple[str, str], float]
) -> Iterator[Point]:
    """Field `band` (1 good ... 6 extremely poor) of the rows of `hour` that hold a pollutant of the index.

    By the calibrated mean, as in the KPI; `scales`: a factor for each (device, quantity) of the city file, other than 1
    of gases that are measured by volume. What the city file does not list has no band, as it is in no KPI: otherwise
    anybody's sensor would decide what the city's dashboard shows. An hour without readings has no band; queries select
    n > 0.
    """
    of = np.array([table[s].quantity in EUROPE for s in range(len(table))], dtype=np.bool_)
    mine = hours.take(of[hours.series] & (hours.n > 0)) if len(hours) else hours
    if not len(mine):
        return
    means = calibrations.apply(mine).mean
    for series, start, mean in zip(mine.series.tolist(), mine.start.tolist(), means.tolist(), strict=True):
        name = table[series]
        tags = {"city": name.city, "device": name.device, "quantity": name.quantity}
        scale = scales.get((name.device, name.quantity))
        if scale is None:
            continue
        mean *= scale  # noqa: PLW2901 - the index's own mass
        band = 1 + sum(mean > limit for limit in EUROPE[name.quantity])
        yield Point("hour", tags, {"band": band}, start)
