"""A charging plan without sessions of one's own: measured building load, and factors measured at another site. Pure.

The factors are demand factors of 78 users of a garage site in Trondheim (Data in Brief 36:107105), August 2019 to
January 2020, 15 minutes, immediate charging, 2,000 nested draws. They are an assumption for any other place, and the
result states this; `charging.plan` with recorded sessions is the better answer.
"""

from __future__ import annotations

import msgspec
import numpy as np

from planning.charging.connection import Connection
from planning.charging.draws import Spread
from planning.charging.vehicles import Vehicles
from telemetry.errors import UsageError
from telemetry.series import FloatArray

_COUNTS = (1, 2, 5, 10, 20, 40, 78)
# By rated power: median and 95 % of the demand factor at these numbers of points; at 78, all users, 95 % is ours.
_FACTORS: dict[float, tuple[tuple[float, ...], tuple[float, ...]]] = {
    3.7: ((1.0, 1.0, 0.80, 0.50, 0.40, 0.325, 0.268), (1.0, 1.0, 1.0, 0.70, 0.50, 0.378, 0.295)),
    7.2: ((1.0, 1.0, 0.60, 0.40, 0.310, 0.243, 0.195), (1.0, 1.0, 0.80, 0.531, 0.391, 0.280, 0.215)),
    11.0: ((1.0, 1.0, 0.60, 0.40, 0.278, 0.209, 0.183), (1.0, 1.0, 0.76, 0.50, 0.350, 0.257, 0.200)),
    22.0: ((1.0, 0.89, 0.40, 0.30, 0.213, 0.161, 0.133), (1.0, 1.0, 0.60, 0.40, 0.277, 0.200, 0.150)),
}
MOST = 10_000


class RulePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Power in kW; `p50_kw`, `p95_kw`: building's highest load and charging together, as if they met."""

    points: int
    kw: float
    connection_kw: float
    base_peak_kw: float
    demand_factor_p50: float
    demand_factor_p95: float
    p50_kw: float
    p95_kw: float
    headroom_kw: float
    first_over: int | None
    energy_day_kwh: float
    energy_year_kwh: float
    fits: bool
    notes: tuple[str, ...]


def factors(n: int, kw: float) -> Spread:
    """Median and 95 % of the demand factor of n points; between the printed numbers linear in log(n).

    Of the next lower rated power that was measured, whose factors are higher; from 78 points on they are constant. The
    5 % are not published and equal the median.
    """
    below = max((power for power in _FACTORS if power <= kw), default=min(_FACTORS))
    at, known = np.log(n), np.log(_COUNTS)
    middle, high = (float(np.interp(at, known, row)) for row in _FACTORS[below])
    return Spread(middle, middle, high)


def plan_by_rule(points: int, kw: float, connection: Connection, base: FloatArray | None, used: Vehicles) -> RulePlan:
    """The plan. `base`: the building's load, kW in each interval, NaN where missing. Raises UsageError."""
    if not 1 <= points <= MOST:
        raise UsageError(f"points = {points}: write a number from 1 to {MOST}.")
    if base is not None and np.isnan(base).all():
        raise UsageError("The building's load was not measured in this period; choose another one.")
    peak, limit = 0.0 if base is None else float(np.nanmax(base)), connection.kw
    if peak > limit:
        raise UsageError(
            f"The building alone reaches {peak:.1f} kW, more than the connection's {limit:.1f} kW: nothing is left for "
            "charging. Check the connection, or plan a larger one first."
        )
    found = factors(points, kw)
    high = peak + points * kw * found.p95
    over = (n for n in range(1, MOST + 1) if peak + n * kw * factors(n, kw).p95 > limit)
    missing = 0.0 if base is None else float(np.isnan(base).mean())
    notes = [
        "demand factors of another site (78 users, Trondheim 2019, 15 minutes); recorded sessions give a better plan"
    ]
    if missing:
        notes.append(f"{100 * missing:.1f} % of the building's intervals are missing")
    if base is None:
        notes.append("no building load was given: the connection serves the charging points alone")
    return RulePlan(
        points=points, kw=kw, connection_kw=limit, base_peak_kw=peak, demand_factor_p50=found.p50,
        demand_factor_p95=found.p95, p50_kw=peak + points * kw * found.p50, p95_kw=high, headroom_kw=limit - high,
        first_over=next(over, None), energy_day_kwh=points * used.day_kwh, energy_year_kwh=points * used.day_kwh * 365,
        fits=high <= limit, notes=tuple(notes),
    )  # fmt: skip
