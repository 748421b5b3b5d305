"""EC:I:WS:4C Wastewater Collection: wastewater that reached the plants / water billed, %. Partial.

The publisher's KPI is the share of households connected to the sewer, which the city reports. Flow meters at the inlet
of the plants (`wastewater_meter` with `role = "collected"`) and the customers' water meters show what comes back: a
value under the share of connected households points at losses or at meters that are missing. Rain in combined sewers
raises it above 100 %, which is stated.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.meters import counted
from kpi_derivation.rules.metering.water import billed, volume
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import Why, low, no_device, undefined, without_value
from registry.city import Device, DeviceKind

CODE = "EC:I:WS:4C"
METHOD = "wastewater-volume/1 (partial; volumes, not connected households)"
REGION = "ratio"
_METERS: tuple[DeviceKind, ...] = ("wastewater_meter",)


def collected(device: Device) -> bool:
    """Whether a wastewater meter counts what arrives."""
    return device.role == "collected"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    came, used = counted(view, _METERS, ("water_total",), collected), volume(view, billed)
    coverage, rule = min(came.coverage, used.coverage), view.city.rules.period_capture
    if not came.registered:
        why = no_device('no wastewater meter with role = "collected" is registered')
    elif not used.registered:
        why = no_device("no customers' water meter is registered")
    elif coverage < rule:
        why = low(coverage, rule)
    else:
        why = Why() if used.amount > 0 else undefined("nothing was billed")
    n = came.n_devices + used.n_devices
    if why.missing:
        return [without_value(why, coverage, n)]
    value = 100.0 * came.amount / used.amount
    above = "more than was billed: rain or infiltration" if value > 100 else ""
    return [
        Part(
            value=value, coverage=coverage, n_devices=n, notes=joined("partial", above), numerator=came.amount,
            denominator=used.amount,
        )
    ]  # fmt: skip
