"""What a day of a register has from its other days: what was counted between them. Pure.

See `many` for how long readings stand, and for many registers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.rules.metering.register_days import SLOW, DayPoints, covered, join
from kpi_derivation.rules.metering.registers import MeterChange
from telemetry.series import IntArray

COLUMNS = {"interval": np.nan, "increase": 0.0}


def join_register(
    main: DayGrid, own: DayGrid, place: int, row: int, register: tuple[float, Sequence[MeterChange], float],
    midnights: Callable[[IntArray], IntArray],
) -> IntArray:  # fmt: skip
    """Give each day of a register its own energy, and its share of the steps from and to its neighbours.

    `own`: the grid of registers, `place` the register's row there; `register`: its modulus, declared changes and limit.
    Returns the days (ordinals) whose energy, coverage or changed meter differ: a reading of one day closes the one
    before, and a late one shows that a later day's register is another.
    """
    n = main.columns["n"][row]
    days = np.flatnonzero(n > 0)
    if not len(days):
        changed = np.flatnonzero(main.columns["increase"][row]) + main.origin
        main.columns["increase"][row] = 0.0
        return changed
    first, last = int(days[0]) + main.origin, int(days[-1]) + main.origin
    at = days + main.origin - own.origin
    points = DayPoints(*(own.columns[name][place][at] for name in DayPoints._fields))
    bounds = midnights(np.arange(first, last + 2))
    interval = main.columns["interval"][row][days]
    slow = bool((interval > SLOW).all())
    energy, replaced = join(days - days[0], points, bounds, *register)
    new = {"increase": energy} | ({"covered": covered(days - days[0], points, interval, bounds)} if slow else {})
    changed = np.zeros(0, dtype=np.int64)
    for name, values in new.items():
        full = np.zeros(len(n))
        full[days[0] : days[-1] + 1] = values
        changed = np.union1d(changed, np.flatnonzero(full != main.columns[name][row]) + main.origin)
        main.columns[name][row] = full
    noted = own.columns["meter_changes"][place].copy()
    own.columns["meter_changes"][place] = 0.0
    own.columns["meter_changes"][place, first - own.origin : last + 1 - own.origin] = replaced
    return np.union1d(changed, np.flatnonzero(noted != own.columns["meter_changes"][place]) + own.origin)
