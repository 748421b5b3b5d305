"""What the proof of one KPI needs of a city's stored hours: those of the series that its derivation reads, no others.

A day of a series depends on the series' other days (how long its readings stand, what a register counted), not on
other series, but for stations of one kind, which are judged together. So all days of these series are read.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adapters.store import Level, Store
from kpi_derivation.catalogue import DERIVATIONS, reads
from kpi_derivation.engine.asked import asked
from kpi_derivation.engine.reads import Reads
from registry.city import City
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import IntArray, Series, SeriesTable


def needed_by(code: str, city: City) -> Reads:
    """What the derivation of a KPI reads of the city before there are data, and of one with every kind of device."""
    kpi, found = DERIVATIONS[code].kpi, Reads(reads(code))
    found.update(asked(DERIVATIONS[code].derive, city, {}))
    for part in kpi.parts:
        if part in QUANTITIES:  # of the kinds that are not counted, too
            found.add("listed", part)
    return found


def lacking(needed: Reads, read: Reads) -> bool:
    """Whether a run has read data that are not among the needed."""
    return not (
        read.quantities <= needed.quantities
        and ("*" in needed.kinds or read.kinds <= needed.kinds)
        and needed.has_demand >= read.has_demand
    )


class NeededHours:
    """A history with the hours of the needed series alone; base windows are in no proof."""

    def __init__(self, store: Store, city: City, needed: Reads, table: SeriesTable) -> None:
        self._store = store
        names = [
            Series(city.id, device.id, quantity)
            for device in city.device
            if device.kind in needed.kinds or "*" in needed.kinds
            for quantity in sorted(needed.quantities | ({"humidity"} if device.calibration else set()))
        ]
        self._series = np.array(sorted(map(table.id_of, names)), dtype=np.int64)

    def partials(
        self, city: str, level: Level, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See History."""
        if level == "hour":
            wanted = self._series if series is None else series
            yield from self._store.partials(city, level, start, end, table, wanted)
