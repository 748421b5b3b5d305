"""EN:EN:WS:3C Freshwater Consumption: abstracted freshwater / available freshwater, %. The formula is unconfirmed.

What the abstraction meters (`water_abstraction`) counted in the period, over the part of the renewable resource
(`available_freshwater_m3_per_year` in [city], a dated figure) that belongs to the time that has passed. A secondary
transcription defines the KPI as the share of used water that comes from freshwater; the publisher's page was not seen.
"""

from __future__ import annotations

from datetime import date

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.meters import counted
from kpi_derivation.rules.reasons import low, no_data, no_device, setting, without_value
from registry.city import Device, DeviceKind
from telemetry.periods import calendar_period, local_date

CODE = "EN:EN:WS:3C"
METHOD = "freshwater-abstraction/1 (unconfirmed formula)"
REGION = "ratio"
_METERS: tuple[DeviceKind, ...] = ("water_abstraction",)


def any_meter(_: Device) -> bool:
    """Every abstraction meter counts."""
    return True


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    used = counted(view, _METERS, ("water_total",), any_meter)
    rule = view.city.rules.period_capture
    if not used.registered:
        why = no_device("no abstraction meter is registered")
    elif not used.n_devices:
        why = no_data("no meter reading in the period")
    elif used.coverage < rule:
        why = low(used.coverage, rule)
    else:
        why = setting(view, "available_freshwater_m3_per_year")
    if why.missing:
        return [without_value(why, used.coverage, used.n_devices)]
    available = (view.city.city.available_freshwater_m3_per_year or 1.0) * share_of_year(view)
    return [
        Part(
            value=100.0 * used.amount / available, coverage=used.coverage, n_devices=used.n_devices, notes=used.notes,
            numerator=used.amount, denominator=available,
        )
    ]  # fmt: skip


def share_of_year(view: View) -> float:
    """The passed time as a share of the calendar year in which the period starts; of 365 days, of those."""
    if view.period.kind == "365d":
        return view.expected_ms / (view.period.end - view.period.start)
    year = local_date(view.period.start, view.city.zone).year
    whole = calendar_period("year", date(year, 1, 1), view.city.zone)
    return view.expected_ms / (whole.end - whole.start)
