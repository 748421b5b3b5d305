"""Co-location: the hours in which a device and a reference beside it both measured, and the line between them. Pure.

The reference counts with its own calibration, the device without: an entry made from the fit replaces what it had. An
hour counts where both have a valid one (`hour_capture`); a reading stands for the registry's interval, else for the
device's median step over the hours given. With humidity: where the device measured that too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.families.totals import typical_step
from kpi_derivation.rules.air.calibration import Calibrations, Fit, entries, fit
from kpi_derivation.rules.valid_hours import hour_columns
from registry.city import Calibration, City, Device
from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray, Series, SeriesTable


class Pairs(NamedTuple):
    """Hours (start in ms UTC) with the device's raw mean, the reference's mean, and relative humidity or NaN."""

    start: IntArray
    raw: FloatArray
    reference: FloatArray
    humidity: FloatArray


def without_calibration(city: City, device: str, quantity: str) -> City:
    """The city with no calibration of that quantity of that device."""
    bare = [
        d if d.id != device else replace(d, calibration=tuple(e for e in d.calibration if e.quantity != quantity))
        for d in city.device
    ]
    return city.model_copy(update={"device": bare})


def needed(city: City, table: SeriesTable, device: str, reference: str, quantity: str) -> IntArray:
    """The series whose hours `pairs` needs."""
    named = [(device, quantity), (reference, quantity), (device, "humidity"), (reference, "humidity")]
    return np.unique([table.id_of(Series(city.id, d, q)) for d, q in named])


def pairs(city: City, table: SeriesTable, hours: Partials, device: str, reference: str, quantity: str) -> Pairs:
    """The hours both have, in order of time. `hours`: of the `needed` series, in the period of the co-location."""
    hours = Calibrations(without_calibration(city, device, quantity), table).apply(hours.latest())
    raw, other = (_valid(city, table, hours, d, quantity) for d in (device, reference))
    start, mine, theirs = np.intersect1d(raw.start, other.start, assume_unique=True, return_indices=True)
    rh = hours.take((hours.series == table.id_of(Series(city.id, device, "humidity"))) & (hours.n > 0))
    humidity = np.full(len(start), np.nan)
    found, at, of = np.intersect1d(start, rh.start, assume_unique=True, return_indices=True)
    humidity[at] = rh.mean[of] if len(found) else np.nan
    return Pairs(start, raw.mean[mine], other.mean[theirs], humidity)


def _valid(city: City, table: SeriesTable, hours: Partials, device: str, quantity: str) -> Partials:
    """The valid hours of a series."""
    mine = hours.take(hours.series == table.id_of(Series(city.id, device, quantity)))
    if not len(mine):
        return mine
    fixed = next((d.interval_s for d in city.device if d.id == device), None)
    steps = typical_step(mine, np.zeros(len(mine), dtype=np.int64))
    interval = np.full(len(mine), 1000.0 * fixed if fixed else steps[0])
    return mine.take(hour_columns(mine.n, mine.mean, interval, city.rules.hour_capture)["hours"] > 0)


def fitted(found: Pairs, humidity: bool) -> Fit:
    """The fit of the pairs. Raises ValueError where there are too few, or no line can be fitted."""
    return fit(found.raw, found.reference, found.humidity if humidity else None)


def raw_rmse(found: Pairs) -> float:
    """Root mean square difference of the raw readings from the reference, as it is without any calibration."""
    return float(np.sqrt(((found.raw - found.reference) ** 2).mean())) if len(found.raw) else float("nan")


def entry_of(device: Device, quantity: str, made: Fit, valid_from: str, note: str) -> Calibration:
    """The device's next calibration entry. Raises ValueError for a gain that is not above 0."""
    if made.gain <= 0:
        raise ValueError(f"a gain of {made.gain:.4g}: the device falls where the reference rises")
    version = max((e.version for e in entries(device, quantity)), default=0) + 1
    numbers = (float(f"{x:.6g}") for x in (made.gain, made.offset, made.humidity))
    gain, offset, humidity = numbers
    return Calibration(
        quantity=quantity,
        valid_from=valid_from,
        gain=gain,
        offset=offset,
        humidity=humidity,
        version=version,
        note=note,
    )
