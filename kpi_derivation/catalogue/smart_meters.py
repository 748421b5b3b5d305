"""EC:ICT:ES:1C Smart Electricity Meters: smart meters installed / all electricity meters installed, % (p44).

From the registry, not from readings: a meter counts as smart unless its [[device]] entry has `smart = false`.
The number of all meters is `electricity_meters` in [city].
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.energy import METERS
from registry.city import Device

CODE = "EC:ICT:ES:1C"
METHOD = "smart-meters-registry/1"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    view.follows("energy_delta", "energy_total")
    meters = view.devices(METERS)
    counts = view.picked(meters, "smart", _is_smart)
    view.mark(meters, counts)
    smart = int(counts.sum())
    total = view.city.city.electricity_meters
    if total is None:
        notes = f"set electricity_meters (all meters installed) in [city]; {smart} smart meters are registered"
        return [Part(value=None, coverage=0.0, n_devices=smart, notes=notes, reason="missing_setting")]
    notes = "more smart meters are registered than electricity_meters says" if smart > total else ""
    value = 100.0 * smart / total
    return [Part(value=value, coverage=1.0, n_devices=smart, notes=notes, numerator=float(smart), denominator=total)]


def _is_smart(device: Device) -> bool:
    return device.smart
