"""Energy that vehicles need, from how far they drive. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Vehicles(NamedTuple):
    """How a vehicle is used.

    `km`: a year (Austria: 13,000); `kwh_per_100km`: at the plug (20 conservative, 15 typical); `at_home`: share of its
    energy charged here (0.9: Wien Energie). Distance and consumption: faktencheck-energiewende.at.
    """

    km: float = 13_000.0
    kwh_per_100km: float = 20.0
    at_home: float = 0.9

    @property
    def year_kwh(self) -> float:
        """kWh a vehicle and year, charged anywhere."""
        return self.km * self.kwh_per_100km / 100.0

    @property
    def day_kwh(self) -> float:
        """kWh a vehicle and day, charged here."""
        return self.year_kwh / 365.0 * self.at_home
