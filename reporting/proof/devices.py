"""From the rows that a derivation read to the devices of its provenance, and why some do not count. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import msgspec
import numpy as np

from kpi_derivation.catalogue import Derivation, reads
from kpi_derivation.engine.view import Rows, View
from kpi_derivation.rules.air.notes import CONFIRMED
from kpi_derivation.rules.presence import Counting, captures, counted_by_hours
from registry.city import Calibration, Device, DeviceKind, Rules
from reporting.proof.proof import DeviceProof, standard_error
from reporting.proof.watched import Read
from telemetry.kpi_value import KpiValue
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray


def proofs_of(value: KpiValue, derivation: Derivation, read: Read) -> list[DeviceProof]:
    """The devices of one part of a KPI, in the order of the registry."""
    view = _view(read)
    mine = [(q, rows) for q, _, rows in read.rows if _belongs(q, value.part)]
    counts = read.counts(value.part) if value.n_devices else set()
    found = [proof for quantity, rows in mine for proof in _of_rows(quantity, rows, derivation, view, counts)]
    found = [_with_suspicion(d, value, view.city.rules) for d in found]
    with_readings = {d.device for d in found if d.readings}
    # A meter with several quantities is read in all; those without readings are omitted, or all but the first.
    first = {d.device: d for d in reversed(found)}
    return [d for d in found if d.readings or (d.device not in with_readings and d is first[d.device])]


def with_errors(devices: Sequence[DeviceProof], read: Read) -> list[DeviceProof]:
    """The devices that count, with the standard error of their valid hourly means."""
    errors: dict[tuple[str, str], float | None] = {}
    for quantity, kinds, rows in read.rows:
        if any(d.quantity == quantity for d in devices):
            hours = _view(read).hourly(quantity, kinds)
            means = (row[~np.isnan(row)].tolist() for row in hours)
            errors |= {(d.id, quantity): standard_error(m) for d, m in zip(rows.devices, means, strict=True)}
    return [
        d if d.left_out else msgspec.structs.replace(d, standard_error=errors.get((d.device, d.quantity)))
        for d in devices
    ]


def _with_suspicion(device: DeviceProof, value: KpiValue, rules: Rules) -> DeviceProof:
    """The device with the remarks of the value's notes, which exclude it where a rule requires this."""
    said = next((n for n in value.notes.split("; ") if n.startswith(f"suspect: {device.device} ")), "")
    out = device.left_out or (
        f"{said} (rule exclude_suspect)" if said.endswith(CONFIRMED) and rules.exclude_suspect else ""
    )
    return msgspec.structs.replace(device, suspect=said, left_out=out)


def left_out_kinds(value: KpiValue, derivation: Derivation, read: Read) -> list[DeviceProof]:
    """Devices that measure the part but whose kind the derivation does not use."""
    view = _view(read)
    if value.part not in QUANTITIES:
        return []
    seen = {d.id for q, _, rows in read.rows if q == value.part for d in rows.devices}
    others = [d for d in view.devices(kinds_of(derivation), value.part) if d.id not in seen]
    kinds = tuple({d.kind for d in others})
    rows = view.rows(value.part, kinds)
    reason = "kind not mixed with the others; see the rule mixed_air_kinds"
    share = _captures(value.part, rows, view)
    return [_proof(value.part, rows, i, share, f"{d.kind}: {reason}") for i, d in enumerate(rows.devices)]


def kinds_of(derivation: Derivation) -> tuple[DeviceKind, ...]:
    """The kinds of devices that a derivation may read in some city."""
    return tuple(kind for kind in get_args(DeviceKind) if kind in reads(derivation.kpi.code).kinds)


def _belongs(quantity: str, part: str) -> bool:
    return part not in QUANTITIES or quantity == part


def _view(read: Read) -> View:
    if read.view is None:
        raise ValueError("nothing was read: derive first")
    return read.view


def _of_rows(
    quantity: str, rows: Rows, derivation: Derivation, view: View, counts: set[str] | None
) -> Iterator[DeviceProof]:
    share = _captures(quantity, rows, view)
    by_hours = counted_by_hours(view, rows) if derivation.method.startswith("air-") else None
    for i in range(len(rows)):
        why = _why_not(rows, i, by_hours, view.city.rules.period_capture)
        if counts is not None:
            why = "" if rows.devices[i].id in counts else why or _OTHER
        yield _proof(quantity, rows, i, share, why)


_OTHER = "not counted by this KPI, see its method"


def _why_not(rows: Rows, i: int, found: Counting | None, rule: float) -> str:
    """Why a device does not count, as far as its own data show it. `found`: of stations, which count."""
    if not rows.n[i]:
        return "no reading in the period" + (f", {rows.flagged[i]:.0f} flagged" if rows.flagged[i] else "")
    if found is None:
        return ""
    if not rows.hours[i]:
        return "no valid hour in the period"
    return "" if found.counts[i] else f"capture {100 * found.capture[i]:.2f} % under {100 * rule:g} %"


def _captures(quantity: str, rows: Rows, view: View) -> tuple[FloatArray, FloatArray] | None:
    """Share of the period's hours that are valid, and of those in which the device was in service; None of events."""
    if QUANTITIES[quantity].event:
        return None
    of_all, of_own = captures(view, rows)
    return np.minimum(of_all, 1.0), np.minimum(of_own, 1.0)


def _proof(
    quantity: str, rows: Rows, i: int, share: tuple[FloatArray, FloatArray] | None, left_out: str
) -> DeviceProof:
    device: Device = rows.devices[i]
    hours = float(rows.hours[i])
    measured = share is not None and QUANTITIES[quantity].kind == "gauge"  # a mean of energies has no meaning
    capture, of_own = (None, None) if share is None else (float(share[0][i]), float(share[1][i]))
    return DeviceProof(
        device=device.id, site=device.site, kind=device.kind, quantity=quantity, readings=int(rows.n[i]),
        flagged=int(rows.flagged[i]), hours=int(hours), capture=capture, capture_in_service=of_own,
        mean=float(rows.hour_sum[i]) / hours if hours and measured else None, sum=float(rows.sum[i]),
        increase=float(rows.increase[i]), interval_s=float(rows.interval[i]) / 1000 or None,
        calibration=_calibration(device, quantity), left_out=left_out, people=device.population,
    )  # fmt: skip


def _calibration(device: Device, quantity: str) -> tuple[str, ...]:
    entries = sorted((c for c in device.calibration if c.quantity == quantity), key=lambda c: c.valid_from)
    return tuple(_formula(c) for c in entries)


def _formula(c: Calibration) -> str:
    humidity = f" {c.humidity:+g} x humidity" if c.humidity else ""
    note = f" ({c.note})" if c.note else ""
    return f"version {c.version} from {c.valid_from}: {c.gain:g} x raw {c.offset:+g}{humidity}{note}"
