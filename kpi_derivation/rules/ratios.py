"""Ratios of figures of the city file: a missing one is named, nothing is assumed in its place. Pure."""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.engine.view import Part, View

ONLY_CALENDAR = "calculated for calendar periods only"


def missing(view: View, *keys: str) -> str:
    """The sentence that names the first of these keys of [city] that is not set; empty when all are."""
    absent = [key for key in keys if getattr(view.city.city, key) is None]
    return f"set {absent[0]} in [city]" if absent else ""


def registry_percent(numerator: str, denominator: str) -> Callable[[View], list[Part]]:
    """A derivation: 100 * one key of [city] / another."""

    def derive(view: View) -> list[Part]:
        """One part, without a name."""
        why = missing(view, numerator, denominator)
        if why:
            return [Part(value=None, coverage=0.0, n_devices=0, notes=why, reason="missing_setting")]
        return [_percent(getattr(view.city.city, numerator), getattr(view.city.city, denominator), numerator)]

    return derive


def _percent(part: float, whole: float, name: str) -> Part:
    notes = f"from the city file; {name} is more than its denominator" if part > whole else "from the city file"
    value = 100.0 * part / whole
    return Part(value=value, coverage=1.0, n_devices=0, notes=notes, numerator=part, denominator=whole)


def joined(*notes: str) -> str:
    """Notes as one text, empty ones left out."""
    return "; ".join(filter(None, notes))
