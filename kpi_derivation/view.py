"""What a derivation sees: the city, the period, and per device the sums over the period. Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from telemetry.city import City, Device, DeviceKind
from telemetry.periods import Period
from telemetry.series import FloatArray

HOUR_MS = 3_600_000.0

# Per series and day (or period): how many readings, their sum, valid hours and the sum of their means, the time in
# ms the readings stand for, counted energy (counters: steps incl. across gaps), and the interval used.
COLUMNS = ("n", "sum", "hours", "hour_sum", "covered", "increase", "flagged", "interval")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a derivation gives for one data point. `value` None means insufficient; `notes` must say why."""

    part: str = ""
    value: float | None
    coverage: float
    n_devices: int
    notes: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Sums over the period of the registered devices that have the quantity, one row a device, in registry order.

    A device without data has n = 0. Columns: see COLUMNS.
    """

    devices: tuple[Device, ...]
    n: FloatArray
    sum: FloatArray
    hours: FloatArray
    hour_sum: FloatArray
    covered: FloatArray
    increase: FloatArray
    flagged: FloatArray
    interval: FloatArray

    def __len__(self) -> int:
        return len(self.devices)


@dataclass(frozen=True, slots=True)
class View:
    """One city in one period. `expected_ms`: how much of the period has passed (all of it once it is over).

    `sums[(device id, quantity)]` holds the COLUMNS of a series with data.
    """

    city: City
    period: Period
    expected_ms: float
    sums: dict[tuple[str, str], FloatArray]

    def devices(self, kinds: Sequence[DeviceKind], quantity: str | None = None) -> tuple[Device, ...]:
        """Registered devices of these kinds, of those that measure `quantity`."""
        return tuple(d for d in self.city.device if d.kind in kinds and (quantity is None or quantity in d.quantities))

    def rows(self, quantity: str, kinds: Sequence[DeviceKind]) -> Rows:
        """The period's sums of `quantity` over the devices of these kinds."""
        devices = self.devices(kinds, quantity)
        nothing = np.zeros(len(COLUMNS))
        table = np.array([self.sums.get((d.id, quantity), nothing) for d in devices]).reshape(-1, len(COLUMNS))
        return Rows(devices, *(table[:, i] for i in range(len(COLUMNS))))

    @property
    def is_year(self) -> bool:
        """Whether the period is a year, so that 'per year' is the plain sum."""
        return self.period.kind in ("year", "365d")
