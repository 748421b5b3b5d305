"""The provenance of a value: its devices and parameters, as plain structures for text or JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from telemetry.kpi_value import KpiValue
from telemetry.quantities import QUANTITIES


class DeviceProof(msgspec.Struct, frozen=True, kw_only=True):
    """One device's contribution to a value. `capture`: valid hours over the period's hours so far, 0..1; None for
    events. `capture_in_service`: over those hours of them in which the device was in service (`since`, `until`).

    `mean` and `standard_error` are over its valid hourly means; `left_out`: why it does not count, else empty;
    `suspect`: the remark of quality control; `people`: how many it represents.
    """

    device: str
    site: str
    kind: str
    quantity: str
    readings: int
    flagged: int
    hours: int
    capture: float | None
    capture_in_service: float | None = None
    mean: float | None
    sum: float
    increase: float
    interval_s: float | None
    standard_error: float | None = None
    calibration: tuple[str, ...] = ()
    left_out: str = ""
    suspect: str = ""
    people: float | None = None

    @property
    def counted(self) -> float:
        """Its contribution to a sum: the increase of a counter, else the sum of its readings."""
        return self.increase if QUANTITIES[self.quantity].kind == "counter" else self.sum


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A rule or denominator that the derivation read, with its documented source."""

    name: str
    value: float | bool | str | None
    source: str = ""


class Uncertainty(msgspec.Struct, frozen=True, kw_only=True):
    """Standard errors of a mean over stations, None where there are too few; `note` states what is not included."""

    over_stations: float | None
    over_hours: float | None
    note: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The provenance of a derived value. `arithmetic`: how the devices' numbers give the value, if it is simple.

    `in_ppb`: of a gas, the value by volume. `from_registry`: devices that count by their entry, without readings.
    """

    value: KpiValue
    name: str
    definition: str
    source: str
    how: str
    parameters: tuple[Parameter, ...]
    devices: tuple[DeviceProof, ...]
    expected_hours: float
    arithmetic: str = ""
    uncertainty: Uncertainty | None = None
    in_ppb: str = ""
    stored: str = ""
    from_registry: tuple[str, ...] = ()

    @property
    def registered(self) -> int:
        """How many devices the derivation looked at."""
        return len({d.device for d in self.devices} | set(self.from_registry))

    @property
    def counted(self) -> list[DeviceProof]:
        """The devices that count."""
        return [d for d in self.devices if not d.left_out]


def standard_error(values: Sequence[float]) -> float | None:
    """Sample standard deviation over the root of the count; None under two values."""
    n = len(values)
    if n < 2:
        return None
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1) / n)


def error_of_mean(errors: Sequence[float | None]) -> float | None:
    """Standard error of the unweighted mean of independent means with these errors; None where one is unknown."""
    known = [e for e in errors if e is not None]
    if not known or len(known) < len(errors):
        return None
    return math.sqrt(math.fsum(e * e for e in known)) / len(known)


NOTE = (
    "standard errors only: stations are few and not placed at random, hours are not independent, and the instruments' "
    "own uncertainty is not included"
)


def uncertainty(devices: Sequence[DeviceProof]) -> Uncertainty:
    """The uncertainty of the unweighted mean of the devices' means."""
    means = [d.mean for d in devices if d.mean is not None]
    hours = error_of_mean([d.standard_error for d in devices])
    return Uncertainty(over_stations=standard_error(means), over_hours=hours, note=NOTE)


def ratio(value: KpiValue) -> str:
    """A ratio's numerator over its denominator; empty where the value is not one, or they do not give it."""
    n, d = value.numerator, value.denominator
    if value.value is None or n is None or not d:
        return ""
    factor = 100.0 if value.unit.startswith("%") else 1.0
    times = " x 100" if factor != 1.0 else ""
    return f"{n:,.10g} / {d:,.10g}{times} = {value.value:,.6g}" if _same(factor * n / d, value.value) else ""


def arithmetic(value: float, devices: Sequence[DeviceProof], parameters: Sequence[Parameter]) -> str:
    """The calculation of the value from the counted devices: a mean, a sum, or one of these divided by a parameter.

    Checked, not assumed: the first calculation that gives the value is shown; otherwise none.
    """
    for name, steps, result in _candidates(devices):
        if _same(result, value):
            return f"{name}: {steps} = {value:,.6g}"
        for p in parameters:
            if isinstance(p.value, float) and p.value and _same(result / p.value, value):
                return f"{name} by {p.name}: ({steps}) / {p.value:,.10g} = {value:,.6g}"
    return ""


def _candidates(devices: Sequence[DeviceProof]) -> Iterator[tuple[str, str, float]]:
    """Possible calculations: name, steps, result."""
    means = [d.mean for d in devices if d.mean is not None]
    people = [d.people or 0.0 for d in devices if d.mean is not None]
    used = [d for d in devices if d.readings]
    if means:
        n = len(means)
        yield f"mean of the {n} station means", f"({_sum(means)}) / {n}", math.fsum(means) / n
    if means and all(people):
        products = [f"{m:,.6g} x {p:,.0f}" for m, p in zip(means, people, strict=True)]
        result = math.fsum(m * p for m, p in zip(means, people, strict=True)) / math.fsum(people)
        yield "mean weighted by people", f"({_joined(products)}) / {math.fsum(people):,.0f}", result
    if devices and not used:
        yield f"no event of {len({d.device for d in devices})} devices", "0", 0.0
    if used:
        for text, numbers in (("devices", [d.sum for d in used]), ("meters", [d.counted for d in used])):
            yield f"sum over {len(used)} {text}", _sum(numbers), math.fsum(numbers)
    if used and all(QUANTITIES[d.quantity].event for d in used):
        readings = [float(d.readings) for d in used]
        yield f"readings of {len(used)} devices", _sum(readings), math.fsum(readings)


def _sum(numbers: Sequence[float]) -> str:
    return _joined([f"{n:,.6g}" for n in numbers])


def _joined(terms: Sequence[str], most: int = 8) -> str:
    return " + ".join(terms[:most]) + (" + ..." if len(terms) > most else "")


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
