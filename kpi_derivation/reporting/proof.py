"""The proof of a value: what it rests on, down to each device, as plain structures that become text or JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from telemetry.kpi_value import KpiValue
from telemetry.quantities import QUANTITIES


class DeviceProof(msgspec.Struct, frozen=True, kw_only=True):
    """One device's part in a value. `capture`: valid hours over the period's hours so far, 0..1; None for events.

    `mean` and `standard_error` are over its valid hourly means; `left_out` says why it does not count, else empty.
    """

    device: str
    site: str
    kind: str
    quantity: str
    readings: int
    flagged: int
    hours: int
    capture: float | None
    mean: float | None
    sum: float
    increase: float
    interval_s: float | None
    standard_error: float | None = None
    calibration: tuple[str, ...] = ()
    left_out: str = ""

    @property
    def counted(self) -> float:
        """What it adds to a sum: the steps of a counter, else the sum of its readings."""
        return self.increase if QUANTITIES[self.quantity].kind == "counter" else self.sum


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A rule or denominator the derivation read, with where it is documented to come from."""

    name: str
    value: float | bool | str | None
    source: str = ""


class Uncertainty(msgspec.Struct, frozen=True, kw_only=True):
    """Standard errors of a mean over stations, None where there are too few to tell; `note` says what they are not."""

    over_stations: float | None
    over_hours: float | None
    note: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a derived value rests on. `arithmetic`: how the devices' numbers give the value, if it is simple."""

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
    stored: str = ""

    @property
    def counted(self) -> list[DeviceProof]:
        """The devices the value rests on."""
        return [d for d in self.devices if not d.left_out]


def standard_error(values: Sequence[float]) -> float | None:
    """Sample standard deviation over the root of the count; None under two values."""
    n = len(values)
    if n < 2:
        return None
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1) / n)


def error_of_mean(errors: Sequence[float | None]) -> float | None:
    """Standard error of the plain mean of independent means with these errors; None where one is unknown."""
    known = [e for e in errors if e is not None]
    if not known or len(known) < len(errors):
        return None
    return math.sqrt(math.fsum(e * e for e in known)) / len(known)


NOTE = (
    "standard errors only: stations are few and not placed at random, hours are not independent, and the instruments' "
    "own uncertainty is not in them"
)


def uncertainty(devices: Sequence[DeviceProof]) -> Uncertainty:
    """Of the plain mean of the devices' means."""
    means = [d.mean for d in devices if d.mean is not None]
    hours = error_of_mean([d.standard_error for d in devices])
    return Uncertainty(over_stations=standard_error(means), over_hours=hours, note=NOTE)


def arithmetic(value: float, devices: Sequence[DeviceProof], parameters: Sequence[Parameter]) -> str:
    """How the counted devices' numbers give the value, where it is a mean, a sum, or a sum by one parameter.

    Tried and checked, not assumed: the first of these that gives the value is told; else nothing is.
    """
    for way, numbers in _candidates(devices):
        result = way.combine(numbers)
        if _same(result, value):
            return f"{way.told(numbers)}: {_steps(way, numbers)} = {value:,.6g}"
        for p in parameters:
            if isinstance(p.value, float) and p.value and _same(result / p.value, value):
                return f"{way.told(numbers)} by {p.name}: ({_steps(way, numbers)}) / {p.value:,.10g} = {value:,.6g}"
    return ""


class _Way(msgspec.Struct, frozen=True):
    text: str
    is_mean: bool

    def told(self, numbers: Sequence[float]) -> str:
        return self.text.format(len(numbers))

    def combine(self, numbers: Sequence[float]) -> float:
        return math.fsum(numbers) / (len(numbers) if self.is_mean else 1)


def _candidates(devices: Sequence[DeviceProof]) -> list[tuple[_Way, list[float]]]:
    means = [d.mean for d in devices if d.mean is not None]
    used = [d for d in devices if d.readings]
    counted = [d.counted for d in used]
    found = [
        (_Way("mean of the {} station means", True), means),
        (_Way("sum over {} devices", False), [d.sum for d in used]),
        (_Way("sum over {} meters", False), counted),
        (_Way("readings of {} devices", False), [float(d.readings) for d in used]),
    ]
    return [(way, numbers) for way, numbers in found if numbers]


def _steps(way: _Way, numbers: Sequence[float], most: int = 8) -> str:
    shown = " + ".join(f"{n:,.6g}" for n in numbers[:most]) + (" + ..." if len(numbers) > most else "")
    return f"({shown}) / {len(numbers)}" if way.is_mean else shown


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
