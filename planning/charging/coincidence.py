"""Coincidence by rule: Kerber's curve and its fit, DIN 18015-1, and what planners assume. Pure.

These are assumptions beside which the measured figures stand; every one carries its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from telemetry.errors import UsageError
from telemetry.series import FloatArray

KERBER_EXPONENT = 0.75  # Kerber (2011), equation 3.2
HEAT_PUMPS = 0.9  # g_inf of heat pumps: VDE FNN and Consentec, as eDisGo cites them
PRIVATE_POINTS = 0.20  # simultaneity of 70 to 500 private charging points: dena, as eDisGo's configuration cites it
MANAGED_KW_PER_BAY = 1.0  # rule of practitioners for managed garages (yourcharge.eu)

# Charging without management, fitted on 78 users of a garage site in Trondheim (Data in Brief 36:107105), 7.2 kW,
# 15 minutes, August 2019 to January 2020: for plans without sessions of their own.
CHARGING_POINTS = 0.15

# DIN 18015-1 Annex A, kVA of a house connection by number of dwellings (as German Wikipedia prints it).
DIN_18015: dict[bool, tuple[tuple[int, float], ...]] = {
    False: ((1, 15.0), (3, 30.0), (10, 55.0), (100, 110.0)),
    True: ((1, 34.0), (24, 140.0)),
}


class Fit(NamedTuple):
    """Kerber's curve fitted to measured factors: g_inf, root mean square error, the exponent used."""

    g_inf: float
    rmse: float
    exponent: float


def kerber(n: int, g_inf: float, exponent: float = KERBER_EXPONENT) -> float:
    """g(n) = g_inf + (1 - g_inf) n^-exponent."""
    return float(g_inf + (1.0 - g_inf) * n**-exponent)


def fit_kerber(counts: Sequence[int], factors: FloatArray, exponent: float = KERBER_EXPONENT) -> Fit:
    """g_inf by least squares with equal weights. Give n = 1 (factor 1) too where it was measured."""
    x = np.asarray(counts, dtype=np.float64) ** -exponent
    slope = float(((factors - x) * (1.0 - x)).sum() / ((1.0 - x) ** 2).sum())
    error = factors - (slope + (1.0 - slope) * x)
    return Fit(slope, float(np.sqrt((error**2).mean())), exponent)


def din_18015(dwellings: int, electric_hot_water: bool) -> float:
    """kVA of the connection of this many dwellings; between the printed numbers linear in log(n) (ours).

    Raises UsageError outside of the printed range.
    """
    table = DIN_18015[electric_hot_water]
    if not table[0][0] <= dwellings <= table[-1][0]:
        raise UsageError(f"DIN 18015-1 is given for 1 to {table[-1][0]} dwellings here, not for {dwellings}.")
    points = np.log([n for n, _ in table])
    return float(np.interp(np.log(dwellings), points, [kva for _, kva in table]))


def din_factor(dwellings: int, electric_hot_water: bool) -> float:
    """The factor in it: kVA of all / (dwellings x kVA of one)."""
    return din_18015(dwellings, electric_hot_water) / (dwellings * din_18015(1, electric_hot_water))
