"""EC:ICT:T:2C Traffic Monitoring: km of major streets that counters watch / km of major streets, %.

Major streets are arterial roads and highways; in-road sensors and cameras count (Verification Manual p49). A counter
(`traffic_counter`) watches the street of length `street_km` of its registry entry while it sends counts for
`period_capture` of the time; a silent counter watches nothing. Where two counters stand in one street, one of them has
the length. The length of all major streets is `major_streets_km` in [city].
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.presence import captures_of_time
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import Why, no_data, no_device, not_set, setting, without_value
from registry.city import DeviceKind

CODE = "EC:ICT:T:2C"
METHOD = "watched-street-length/1"
REGION = "ratio"
_COUNTERS: tuple[DeviceKind, ...] = ("traffic_counter",)


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = view.rows("vehicles", _COUNTERS)
    capture, coverage = captures_of_time(view, rows)
    counts = (capture >= view.city.rules.period_capture) & (rows.n > 0)
    n, total = int((rows.n > 0).sum()), view.city.city.major_streets_km
    if not len(rows):
        why = no_device("no traffic counter is registered")
    elif not n:
        why = no_data("no count in the period")
    elif not counts.any():
        why = Why(f"no counter has {100 * view.city.rules.period_capture:g} % of the time", "low_coverage")
    elif all(d.street_km is None for d in rows.devices):
        why = not_set("set street_km in the [[device]] entries of the counters")
    else:
        why = setting(view, "major_streets_km")
    if why.missing:
        return [without_value(why, coverage, n)]
    watched = sum(d.street_km or 0.0 for d, ok in zip(rows.devices, counts.tolist(), strict=True) if ok)
    silent = [d.id for d, ok in zip(rows.devices, counts.tolist(), strict=True) if not ok]
    notes = joined(
        f"too few counts: {', '.join(silent)}" if silent else "",
        "more than all major streets: check street_km" if watched > (total or 0.0) else "",
    )
    return [
        Part(
            value=100.0 * watched / (total or 1.0), coverage=coverage, n_devices=n, notes=notes, numerator=watched,
            denominator=total,
        )
    ]  # fmt: skip
