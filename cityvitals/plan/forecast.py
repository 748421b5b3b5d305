"""`cityvitals forecast`: history out of the store, the next 48 hours with their measured error as text or JSON."""

from __future__ import annotations

import math
from datetime import date

import msgspec

from planning.forecast import Forecast, PeakSoFar
from planning.outlook import as_plain
from registry.city import City
from telemetry.errors import UsageError
from telemetry.periods import calendar_period, iso


def moment_of(text: str, city: City) -> int:
    """UTC ms of a date, midnight in the city. Raises UsageError."""
    try:
        return calendar_period("day", date.fromisoformat(text), city.zone).start
    except ValueError:
        raise UsageError(f"'{text}' is not a date; write it like 2018-07-01.") from None


def as_json(found: Forecast, unit: str) -> str:
    """The forecast as JSON."""
    return msgspec.json.format(msgspec.json.encode(as_plain(found, unit)), indent=2).decode() + "\n"


def as_text(found: Forecast, unit: str) -> str:
    """The scores, and every third hour."""
    lines = [f"mean absolute error of past forecasts, {unit}, against the same hour of the week before", ""]
    lines.append("  hours ahead     model     naive   shown")
    for s in found.scores:
        shown = "yes" if s.better else "no, the week before is better"
        lines.append(f"  {s.first:4d} to {s.last:2d} {s.model:12.3f} {s.naive:9.3f}   {shown}")
    lines += ["", f"  time                     {unit:>8}  error exceeded by 1 in 10"]
    for i in range(0, len(found.t), 3):
        value = "-" if math.isnan(found.value[i]) else f"{found.value[i]:.2f}"
        lines.append(f"  {iso(int(found.t[i]))}   {value:>10}  {found.p90[i]:.2f}")
    return "\n".join(lines) + "\n"


def peak_text(found: PeakSoFar) -> str:
    """This month's peak in sentences."""
    limit = "" if found.limit is None else f" and the limit of {found.limit:.1f} kW"
    return (
        f"Highest interval of the month so far: {found.kw:.1f} kW at {iso(found.at)}.\n"
        f"Latest interval: {found.latest:.1f} kW; {found.left:.1f} kW are left under the peak{limit}.\n"
        + (f"{100 * found.missing:.1f} % of the intervals so far were not measured.\n" if found.missing else "")
    )
