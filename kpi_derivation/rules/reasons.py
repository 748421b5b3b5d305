"""Why a value is missing: a sentence for people and the reason code for programs, which belong together. Pure."""

from __future__ import annotations

from typing import NamedTuple

from kpi_derivation.engine.view import Part, View
from telemetry.kpi_value import Reason


class Why(NamedTuple):
    """`text` goes into the notes, `reason` into the value's reason. Both are empty where nothing is missing."""

    text: str = ""
    reason: Reason = ""

    @property
    def missing(self) -> bool:
        """Whether there is no value."""
        return bool(self.text)


def no_device(text: str) -> Why:
    """No such device is registered for this time."""
    return Why(text, "no_device")


def no_data(text: str) -> Why:
    """Devices are registered, and gave nothing in the period."""
    return Why(text, "no_data")


def undefined(text: str) -> Why:
    """The formula gives no value here."""
    return Why(text, "undefined")


def other_period(text: str) -> Why:
    """The KPI is not calculated for this kind of period."""
    return Why(text, "not_for_period")


def low(coverage: float, rule: float, what: str = "meter-time coverage") -> Why:
    """Coverage (0..1) under the rule."""
    return Why(f"{what} {100 * coverage:.2f} % under {100 * rule:g} %", "low_coverage")


def not_set(text: str) -> Why:
    """A setting is missing, which the text names; nothing where the text is empty."""
    return Why(text, "missing_setting") if text else Why()


def setting(view: View, *keys: str) -> Why:
    """The first of these keys of [city] that is not set; nothing when all are."""
    absent = [key for key in keys if getattr(view.city.city, key) is None]
    return not_set(f"set {absent[0]} in [city]" if absent else "")


def without_value(why: Why, coverage: float, n_devices: int, part: str = "") -> Part:
    """The part of a KPI that has no value, and why. `coverage`: 0..1."""
    return Part(part=part, value=None, coverage=coverage, n_devices=n_devices, notes=why.text, reason=why.reason)
