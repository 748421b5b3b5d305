"""Gases by volume and by mass: the publisher's factors and those of 20 and 25 °C. Pure.

The publisher uses fixed factors that mix temperatures (Verification Manual, 2022, page 95); readings in ppb are
converted with them, because submissions use them. Limits and indices of others are defined with the factors of the
ideal gas at 101.325 kPa: molar mass over molar volume.
"""

from __future__ import annotations

from telemetry.quantities import QUANTITIES

EU_CELSIUS, US_CELSIUS, WHO_CELSIUS = 20.0, 25.0, 25.0  # 2008/50/EC Annex VI; 40 CFR 50; WHO guidelines
MOLAR_MASS = {"no2": 46.0055, "o3": 47.9982, "so2": 64.064}  # g/mol
_R, _PRESSURE, _ZERO = 8.314462618, 101.325, 273.15  # J/(mol K), kPa, K


def factor(quantity: str, celsius: float) -> float:
    """µg/m³ per ppb of a gas at a temperature and 101.325 kPa."""
    litres_a_mole = _R * (_ZERO + celsius) / _PRESSURE
    return MOLAR_MASS[quantity] / litres_a_mole


def relative(quantity: str, celsius: float) -> float:
    """By what a value that was converted by the publisher's factor is multiplied to be that of a temperature."""
    publisher = QUANTITIES[quantity].ug_per_ppb if quantity in MOLAR_MASS else None
    return factor(quantity, celsius) / publisher if publisher else 1.0


def compared(quantity: str, value: float) -> str:
    """A value in µg/m³ converted with the publisher's factor, and at 20 and 25 °C; empty where it is not a gas."""
    publisher = QUANTITIES[quantity].ug_per_ppb if quantity in MOLAR_MASS else None
    if publisher is None:
        return ""
    ppb = value / publisher
    at = (
        f"{ppb * factor(quantity, t):,.6g} ug/m3 at {t:g} degrees C ({factor(quantity, t):.4f})" for t in (20.0, 25.0)
    )
    return f"{ppb:,.6g} ppb by the publisher's factor {publisher:g}; these would be {', '.join(at)}"
