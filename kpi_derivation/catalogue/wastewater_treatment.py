"""EN:EN:WS:4C Wastewater Treatment: wastewater that passed each stage / wastewater collected, %. Formula unconfirmed.

Flow meters (`wastewater_meter`) stand at the inlet (`role = "collected"`) and behind the stages (`primary`,
`secondary`, `tertiary`). A stage without a meter has no value: it is not assumed to be 0.
"""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.catalogue.wastewater_collection import collected
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.meters import Counted, counted
from kpi_derivation.rules.reasons import low, no_device, undefined, without_value
from registry.city import Device, DeviceKind

CODE = "EN:EN:WS:4C"
METHOD = "wastewater-stages/1 (unconfirmed formula)"
REGION = "ratio"
STAGES = ("primary", "secondary", "tertiary")
_METERS: tuple[DeviceKind, ...] = ("wastewater_meter",)


def _of(stage: str) -> Callable[[Device], bool]:
    return lambda device: device.role == stage


_COUNTS = {stage: _of(stage) for stage in STAGES}


def derive(view: View) -> list[Part]:
    """One part a stage."""
    came = counted(view, _METERS, ("water_total",), collected)
    return [_part(view, stage, came) for stage in STAGES]


def _part(view: View, stage: str, came: Counted) -> Part:
    passed = counted(view, _METERS, ("water_total",), _COUNTS[stage], stage)
    coverage, rule = min(came.coverage, passed.coverage), view.city.rules.period_capture
    n = came.n_devices + passed.n_devices
    if not passed.registered or not came.registered:
        role = stage if came.registered else "collected"
        why = no_device(f'no wastewater meter with role = "{role}" is registered')
    elif coverage < rule:
        why = low(coverage, rule)
    elif came.amount <= 0:
        why = undefined("nothing was collected")
    else:
        value = 100.0 * passed.amount / came.amount
        notes = "more than was collected: check the meters" if value > 100 else ""
        return Part(
            part=stage, value=value, coverage=coverage, n_devices=n, notes=notes, numerator=passed.amount,
            denominator=came.amount,
        )  # fmt: skip
    return without_value(why, coverage, n, stage)
