"""From numerator and denominator to a figure in its unit. Pure."""

from __future__ import annotations

# Larger than the quotient of any city; a larger denominator of a figure 'per 100 000' is the population itself.
_MOST_HUNDRED_THOUSANDS = 500.0


def factor(unit: str) -> float:
    """The factor of the quotient: 100 for percentages, else 1."""
    return 100.0 if unit.startswith("%") else 1.0


def per(unit: str) -> str:
    """The factor as text after a quotient."""
    return " x 100" if factor(unit) == 100.0 else ""


def is_per_100_000(unit: str) -> bool:
    """Whether the publisher divides by population / 100 000 (Verification Manual p31)."""
    return "per 100 000" in unit


def quotient(numerator: float, denominator: float, unit: str) -> float:
    """The figure. Raises ValueError with a sentence for a denominator that is 0 or not of this unit."""
    if denominator == 0:
        raise ValueError("the denominator is 0; set the total that the numerator is a part of")
    if is_per_100_000(unit) and denominator > _MOST_HUNDRED_THOUSANDS:
        hundreds = denominator / 100_000
        raise ValueError(f"the denominator of a figure {unit} is the population / 100 000: use {hundreds:g} (p31)")
    return numerator * factor(unit) / denominator
