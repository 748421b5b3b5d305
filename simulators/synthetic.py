"""A synthetic city: values of its sensors as pure functions of device and time.

Deterministic: the same device and time give the same value, for history and live. The shapes are plausible (traffic
and heating peaks, seasons, weekends), the numbers are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from registry.city import Device
from telemetry.series import FloatArray, IntArray
from telemetry.windows import DAY, HOUR, MINUTE

_TWO_PI = 2 * np.pi
_YEAR = 365.25 * DAY

# Yearly mean, daily swing, winter swing (shares), noise (share); ozone is high when the others are low.
_AIR: dict[str, tuple[float, float, float, float]] = {
    "pm2_5": (8.5, 0.25, 0.35, 0.25),
    "pm10": (16.0, 0.30, 0.20, 0.25),
    "no2": (21.0, 0.45, 0.25, 0.20),
    "so2": (3.2, 0.15, 0.30, 0.20),
    "o3": (52.0, -0.30, -0.30, 0.10),
    "temperature": (9.5, -0.35, -0.95, 0.05),
    "humidity": (72.0, 0.12, 0.08, 0.05),
}


class Session(NamedTuple):
    """A charging session; times in ms UTC, energy in kWh."""

    start: int
    end: int
    energy: float


def _unit(*parts: object) -> float:
    """A fixed pseudo-random number in [0, 1) for these words."""
    return _number("/".join(map(str, parts)))


def _number(words: str) -> float:
    digest = blake2b(words.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _noise(t: IntArray, seed: float) -> FloatArray:
    """Repeatable noise in [-1, 1): slow wandering plus scatter."""
    minutes = t / MINUTE
    slow = np.sin(minutes / 97.0 + 40 * seed) * 0.4 + np.sin(minutes / 413.0 + 90 * seed) * 0.4
    scatter = np.sin(minutes * (12.9898 + seed) + 78.233 * seed) * 43758.5453
    return np.asarray(slow + 0.2 * (2 * (scatter - np.floor(scatter)) - 1), dtype=np.float64)


def _weather(t: IntArray) -> FloatArray:
    """The whole city's weather in [-1, 1]: a new random value each day, with a smooth transition."""
    days = t / DAY
    whole = np.floor(days)
    share = days - whole
    share = share * share * (3 - 2 * share)

    def draw(day: FloatArray) -> FloatArray:
        scatter = np.sin(day * 127.1) * 43758.5453
        return np.asarray(2 * (scatter - np.floor(scatter)) - 1, dtype=np.float64)

    return np.asarray(draw(whole) * (1 - share) + draw(whole + 1) * share, dtype=np.float64)


def _day_shape(t: IntArray) -> FloatArray:
    """Two rush hours a day, in [-1, 1]; weaker at weekends."""
    hour = (t % DAY) / HOUR
    shape = np.exp(-((hour - 8) ** 2) / 6) + np.exp(-((hour - 18) ** 2) / 8) - 0.45
    weekend = ((t // DAY + 3) % 7) >= 5
    return np.asarray(np.where(weekend, 0.5 * shape, shape), dtype=np.float64)


def _winter(t: IntArray) -> FloatArray:
    """1 in mid January, -1 in mid July."""
    return np.asarray(np.cos(_TWO_PI * (t - 15 * DAY) / _YEAR), dtype=np.float64)


def air(device: str, quantity: str, t: IntArray) -> FloatArray:
    """Readings of an air quantity in its catalogue unit, never below zero for a concentration."""
    mean, daily, seasonal, scatter = _AIR[quantity]
    seed = _unit(device, quantity)
    level = mean if quantity in ("temperature", "humidity") else mean * (0.7 + 0.7 * _unit(device))
    still_air = np.copysign(0.35, daily) * _weather(t) if quantity not in ("temperature", "humidity") else 0.0
    value = level * (1 + daily * _day_shape(t) + seasonal * _winter(t) + scatter * _noise(t, seed) + still_air)
    lowest, highest = (-40.0 if quantity == "temperature" else 0.1), (99.0 if quantity == "humidity" else 900.0)
    return np.asarray(np.round(np.clip(value, lowest, highest), 2), dtype=np.float64)


def register(device: str, t: IntArray) -> FloatArray:
    """A meter's energy register in kWh: the integral of its power, so it never decreases."""
    power = 70.0 + 110.0 * _unit(device)  # kW: one meter stands for a street
    phase = 2 * HOUR * _unit(device, "phase")
    hours = t / HOUR
    # Integrals of 1 + 0.35 sin(day) + 0.25 cos(year).
    day = -0.35 * 24 / _TWO_PI * np.cos(_TWO_PI * (t - 9 * HOUR - phase) / DAY)
    year = 0.25 * (_YEAR / HOUR) / _TWO_PI * np.sin(_TWO_PI * (t - 15 * DAY) / _YEAR)
    return np.asarray(np.round(power * (hours - 438_000 + day + year), 3), dtype=np.float64)


def power(device: str, t: IntArray) -> FloatArray:
    """A meter's power in W: the slope of its register."""
    watts = (register(device, t + MINUTE) - register(device, t - MINUTE)) * 30_000.0
    return np.asarray(np.round(watts, 0), dtype=np.float64)


def sessions(device: str, start: int, end: int) -> list[Session]:
    """A charger's sessions that start in [start, end); they never overlap."""
    days = range(start // DAY - 1, end // DAY + 1)
    return [session for day in days for session in _of_day(device, day) if start <= session.start < end]


@lru_cache(maxsize=10_000)  # energy, connected time and state of a charger are all made of them
def _of_day(device: str, day: int) -> tuple[Session, ...]:
    """The sessions of a day since 1970."""
    found, of_day = [], f"{device}/{day}"
    at = day * DAY + round(5 * HOUR + 3 * HOUR * _number(f"{of_day}/first"))
    for number in range(6):
        at += round((0.2 + 4 * _number(f"{of_day}/{number}/wait")) * HOUR)
        length = round((0.3 + 2.7 * _number(f"{of_day}/{number}/length")) * HOUR)
        if at + length > day * DAY + 28 * HOUR:
            break
        energy = round(length / HOUR * (4 + 7 * _number(f"{of_day}/{number}/power")), 3)
        found.append(Session(at, at + length, energy))
        at += length
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Columns:
    """Values of one quantity of one device at times `t` (ms UTC), in the catalogue unit."""

    device: str
    quantity: str
    t: IntArray
    value: FloatArray


def columns(device: Device, t: IntArray) -> list[Columns]:
    """Values of a device's regular quantities at the times `t`."""
    out = []
    for quantity in device.quantities:
        if quantity in _AIR:
            out.append(Columns(device.id, quantity, t, air(device.id, quantity, t)))
        elif quantity == "energy_total":
            out.append(Columns(device.id, quantity, t, register(device.id, t)))
        elif quantity == "power":
            out.append(Columns(device.id, quantity, t, power(device.id, t)))
        elif quantity == "connector_state":
            out.append(Columns(device.id, quantity, t, connector_state(device.id, t)))
    return out


def connector_state(device: str, t: IntArray) -> FloatArray:
    """2 during a session, else 0."""
    state = np.zeros(len(t))
    if len(t):
        for s in sessions(device, int(t.min()) - DAY, int(t.max()) + 1):
            state[(t >= s.start) & (t < s.end)] = 2.0
    return state
