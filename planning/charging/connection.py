"""What a connection or a transformer can carry, and what a load does to it. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from planning.curves import hours_over
from planning.grid import Grid
from telemetry.series import FloatArray

COS_PHI = 0.95
HOT_SPOT_NORMAL = 98.0  # degrees C at which normal paper ages at the normal rate (IEC 60076-7)


class Connection(NamedTuple):
    """A connection of `amps` a phase. `volts`: between phases with three of them, to neutral with one."""

    amps: float
    volts: float = 400.0
    phases: int = 3
    cos_phi: float = COS_PHI

    @property
    def kva(self) -> float:
        """Apparent power; 63 A at 3 x 230/400 V: 43.65 kVA."""
        return self.amps * self.volts * (math.sqrt(3.0) if self.phases == 3 else 1.0) / 1000.0

    @property
    def kw(self) -> float:
        """Active power at the power factor."""
        return self.kva * self.cos_phi


class Loading(NamedTuple):
    """A load on a rating: highest load as a share of it, hours strictly above it, kW left at the peak."""

    highest: float
    hours_over: float
    headroom_kw: float


def loading(power: FloatArray, rating_kva: float, grid: Grid, cos_phi: float = COS_PHI) -> Loading:
    """How a load (kW in each slot) sits on a rating."""
    limit = rating_kva * cos_phi
    peak = float(power.max(initial=0.0))
    return Loading(peak / limit, hours_over(power, limit, grid), limit - peak)


def ageing_rate(hot_spot: FloatArray | float) -> FloatArray:
    """Relative ageing of normal paper: 2^((hot spot - 98) / 6); 98 degrees C: 1, 104: 2, 110: 4 (IEC 60076-7)."""
    return np.asarray(2.0 ** ((np.asarray(hot_spot, dtype=np.float64) - HOT_SPOT_NORMAL) / 6.0))


class Thermal(NamedTuple):
    """A transformer's temperatures by IEC 60076-7, steady state, for ONAN distribution transformers (its table 4).

    `oil_rise`: top-oil rise at rated load, K; `hot_rise`: hot spot over top oil at rated load, K; `loss_ratio`: load
    over no-load losses; `oil_exponent`, `winding_exponent`.
    """

    oil_rise: float = 55.0
    hot_rise: float = 23.0
    loss_ratio: float = 5.0
    oil_exponent: float = 0.8
    winding_exponent: float = 1.6


ONAN = Thermal()


def hot_spot(load: FloatArray, ambient: FloatArray | float, thermal: Thermal = ONAN) -> FloatArray:
    """Hot-spot temperature of each slot, degrees C; `load`: share of the rating. Steady state: peaks are overstated."""
    oil = thermal.oil_rise * ((1.0 + thermal.loss_ratio * load**2) / (1.0 + thermal.loss_ratio)) ** thermal.oil_exponent
    return np.asarray(ambient + oil + thermal.hot_rise * load**thermal.winding_exponent)


def life_used(load: FloatArray, ambient: FloatArray | float, grid: Grid, thermal: Thermal = ONAN) -> float:
    """Hours of normal life that the load uses up; under the hours of the grid it ages slower than normal."""
    return float(ageing_rate(hot_spot(load, ambient, thermal)).sum() * grid.hours)
