"""What is kept of each day of a noise series: sound energy and hours of its day, evening and night. Pure.

Day 07-19, evening 19-23, night 23-07 local time (2002/49/EC Annex I). Energy is 10^(L/10), relative to 0 dB; one
valid hour adds the mean energy of its readings.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from kpi_derivation.engine.days.blocks import HOURS, LEAD, Block
from kpi_derivation.engine.days.family import Family
from telemetry.periods import midnight
from telemetry.series import FloatArray
from telemetry.windows import HOUR

QUANTITIES = frozenset({"sound_energy"})
PARTS = ("day", "evening", "night")


def fold(block: Block) -> dict[str, FloatArray]:
    """The columns; 0 where there is no valid hour."""
    today = block.valid[:, LEAD:]
    kinds = np.array([_parts_of(day, block.zone) for day in block.day.tolist()]).reshape(-1, HOURS - LEAD)
    out: dict[str, FloatArray] = {}
    for number, part in enumerate(PARTS):
        there = (kinds == number) & ~np.isnan(today)
        out[f"energy_{part}"] = np.where(there, today, 0.0).sum(axis=1)
        out[f"hours_{part}"] = there.sum(axis=1).astype(np.float64)
    return out


@lru_cache(maxsize=20_000)
def _parts_of(day: int, zone: ZoneInfo) -> tuple[int, ...]:
    """0, 1, 2 for day, evening, night of each hour since midnight. A shorter day has no hour at the end."""
    start = midnight(date.fromordinal(day), zone)
    times = [start + i * HOUR for i in range(HOURS - LEAD)]
    return tuple(part_of(datetime.fromtimestamp(t / 1000, tz=UTC).astimezone(zone).hour) for t in times)


def part_of(hour: int) -> int:
    """0 day, 1 evening, 2 night of a local hour."""
    return 0 if 7 <= hour < 19 else 1 if 19 <= hour < 23 else 2


def decibel(energy: FloatArray, hours: FloatArray) -> FloatArray:
    """Mean level of summed energies; NaN without hours."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 10.0 * np.log10(energy / hours)


def lden(day: FloatArray, evening: FloatArray, night: FloatArray) -> FloatArray:
    """Day-evening-night level of the three levels, dB (2002/49/EC Annex I)."""
    tenth = [10.0 ** (level / 10.0) for level in (day, evening + 5.0, night + 10.0)]
    return 10.0 * np.log10((12.0 * tenth[0] + 4.0 * tenth[1] + 8.0 * tenth[2]) / 24.0)


FAMILY = Family(
    quantities=QUANTITIES,
    columns=dict.fromkeys((f"{what}_{part}" for part in PARTS for what in ("energy", "hours")), np.nan),
    fold=fold,
)
