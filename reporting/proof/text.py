"""The provenance as text for a verifier. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from reporting.proof.proof import DeviceProof, Parameter, Proof
from telemetry.periods import iso

_WIDTH = 110
_LABEL = 13


def as_text(proof: Proof) -> str:
    """The complete text, ending in a line break."""
    return "\n".join((*_head(proof), *_middle(proof), *_devices(proof))) + "\n"


def _head(p: Proof) -> Iterator[str]:
    v = p.value
    part = f" {v.part}" if v.part else ""
    yield f"{v.code} {p.name}{part}, {v.city}, {v.period}"
    unit = "" if v.unit == "/" else f" {v.unit}"
    number = "none" if v.value is None else f"{v.value:,.6g}{unit}"
    yield from _line("value", f"{number} ({v.status}); {p.stored}")
    yield from _line("period", f"{iso(v.start)} to {iso(v.end)}, of which {p.expected_hours:,.0f} hours have passed")
    yield from _line("is", f"{p.definition} ({p.source})")
    yield from _line("method", f"{v.method}. {p.how}")


def _middle(p: Proof) -> Iterator[str]:
    v = p.value
    yield from _line("parameters", "; ".join(_parameter(x) for x in p.parameters))
    by_entry = " by their entry in the city file" if p.from_registry else ""
    count = f"{v.n_devices} of {p.registered} devices count{by_entry}"
    yield from _line("coverage", f"{100 * v.coverage:.2f} %; {count}")
    readings, flagged = sum(d.readings for d in p.devices), sum(d.flagged for d in p.devices)
    hours = sum(d.hours for d in p.devices if d.capture is not None)
    within = f" in {hours:,} valid hours" if hours else ""
    yield from _line("inputs", f"{readings:,} readings{within}; {flagged:,} flagged and excluded")
    if v.notes:
        yield from _line("notes", v.notes)
    if p.arithmetic:
        yield from _line("arithmetic", p.arithmetic)
    if p.in_ppb:
        yield from _line("in ppb", p.in_ppb)
    if p.uncertainty:
        u = p.uncertainty
        text = f"over stations {_error(u.over_stations)}, over hours {_error(u.over_hours)} {v.unit}. {u.note}"
        yield from _line("uncertainty", text)


def _parameter(p: Parameter) -> str:
    return f"{p.name} = {p.value if p.value is not None else 'not set'}" + (f" ({p.source})" if p.source else "")


def _error(value: float | None) -> str:
    return "unknown (too few)" if value is None else f"{value:.3g}"


def _line(label: str, text: str) -> Iterator[str]:
    indent = " " * (_LABEL + 2)
    wrapped = textwrap.wrap(text, _WIDTH, initial_indent=f"  {label:{_LABEL}}", subsequent_indent=indent)
    yield from wrapped or [f"  {label}"]


def _devices(p: Proof) -> Iterator[str]:
    counted = [d for d in p.devices if not d.left_out]
    out = [d for d in p.devices if d.left_out]
    if counted:
        yield ""
        yield f"  devices that count: {len({d.device for d in counted})}"
        yield from _table(counted, with_reason=False)
    if out:
        yield ""
        yield f"  left out: {len({d.device for d in out})}"
        yield from _table(out, with_reason=True)
    yield from (f"    {d.suspect}" for d in p.devices if d.suspect and not d.left_out)
    yield from (f"    {text}" for d in p.devices if (text := part_of_the_time(d)))
    lines = [f"    {d.device}: {text}" for d in p.devices for text in d.calibration]
    yield ""
    yield "  calibration: " + ("none of these devices has an entry" if not lines else "")
    yield from lines


def part_of_the_time(d: DeviceProof) -> str:
    """The sentence on a device that was in service for a part of the period, whose capture is of the whole."""
    if not d.capture or not d.capture_in_service or d.capture_in_service <= d.capture + 5e-5:
        return ""
    return (
        f"{d.device} {d.quantity}: in service for {100 * d.capture / d.capture_in_service:.2f} % of the period;"
        f" {100 * d.capture_in_service:.2f} % of the hours of that time are valid"
    )


def _table(devices: Sequence[DeviceProof], with_reason: bool) -> Iterator[str]:
    width = max(len(d.device) for d in devices)
    if with_reason:
        for d in devices:
            yield f"    {d.device:{width}}  {d.quantity:14} {d.left_out}"
        return
    yield f"    {'device':{width}}  quantity        readings flagged  hours  capture        mean     +/-          sum"
    for d in devices:
        mean = "-" if d.mean is None else f"{d.mean:.4f}"
        error = "-" if d.standard_error is None else f"{d.standard_error:.4f}"
        capture = "-" if d.capture is None else f"{100 * d.capture:.2f}%"
        yield (
            f"    {d.device:{width}}  {d.quantity:14} {d.readings:9,} {d.flagged:7,} {d.hours:6,} "
            f"{capture:>8} {mean:>11} {error:>7} {d.counted:12,.2f}"
        )
