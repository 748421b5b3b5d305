"""What a derivation sees: the city, the period, and per device the sums over the period. Pure values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

import msgspec
import numpy as np

from kpi_derivation.engine.days.balance import Balance, Meters
from kpi_derivation.engine.days.demand import QUANTITIES as DEMAND_OF
from kpi_derivation.engine.days.demand import Demand
from kpi_derivation.engine.reads import Reads, tracked, untracked
from kpi_derivation.engine.sums import Sums
from registry.city import City, Device, DeviceKind
from telemetry.kpi_value import Reason
from telemetry.periods import YEARLY, Period, local_date
from telemetry.quantities import DERIVED_FROM
from telemetry.series import BoolArray, FloatArray

T = TypeVar("T")
_NOTHING = Reads()

HOUR_MS = 3_600_000.0

# Per series and day (or period): how many readings, their sum, valid hours and the sum of their means, the time in
# ms the readings stand for, counted energy (counters: steps incl. across gaps), and the interval used.
COLUMNS = ("n", "sum", "hours", "hour_sum", "covered", "increase", "flagged", "interval")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a derivation gives for one data point.

    Where `value` is None, or of a part of the period only, `reason` states why for programs and `notes` for people.
    `numerator`, `denominator`: of a ratio, without the factor 100 of a percentage. `method`: what applies to this
    value besides the KPI's own method, such as the interval: values of different methods are not compared.
    """

    part: str = ""
    value: float | None
    coverage: float
    n_devices: int
    notes: str = ""
    unit: str | None = None
    reason: Reason = ""
    numerator: float | None = None
    denominator: float | None = None
    method: str = ""


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
class Daily:
    """Days of devices: `columns` of shape (devices, days), the first day being `first` (proleptic ordinal)."""

    devices: tuple[Device, ...]
    first: int
    columns: dict[str, FloatArray]

    def __getitem__(self, name: str) -> FloatArray:
        return self.columns[name]

    def mean(self, least_hours: int = 1) -> FloatArray:
        """Mean of each day's valid hours; NaN with fewer than `least_hours`. Made once: several KPIs use it."""
        name = f"mean of {least_hours} hours"
        if name not in self.columns:
            hours = self.columns["hours"]
            with np.errstate(invalid="ignore", divide="ignore"):
                self.columns[name] = np.where(hours >= least_hours, self.columns["hour_sum"] / hours, np.nan)
        return self.columns[name]


DayReader = Callable[[Sequence[str], str, int, int], dict[str, FloatArray]]
DemandReader = Callable[[int, int], Demand]
BalanceReader = Callable[[tuple[Meters, ...], int, int], Balance]
HourReader = Callable[[Sequence[str], str, int, int], FloatArray]
LifeReader = Callable[[Sequence[str], Sequence[str]], tuple[FloatArray, FloatArray]]


def _no_life(devices: Sequence[str], _quantities: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    nothing = np.full(len(devices), np.nan)
    return nothing, nothing.copy()


def _no_balance(sides: tuple[Meters, ...], _start: int, _end: int) -> Balance:
    nothing = np.zeros((len(sides), 0))
    return Balance(nothing, nothing, nothing)


@dataclass(frozen=True, slots=True)
class View:
    """One city in one period. `expected_ms`: how much of the period has passed (all of it once it is over).

    `sums[(device id, quantity)]` holds the COLUMNS of a series with data. `found`: what was read already for this
    period; `index`: what follows from the city alone, shared by all its views. `reads`: what was read of this view;
    whatever a method answers is noted there, so that a derivation is run again when it changes.
    `now`: when it is derived, ms UTC. `marks`: devices that count in each part, see `mark`; None: not wanted.
    `meter_changes`: days (ordinals) of the period on which a register was replaced, by device and quantity.
    """

    city: City
    period: Period
    expected_ms: float
    sums: Sums
    read_days: DayReader
    read_hours: HourReader
    read_demand: DemandReader
    meter_changes: Mapping[tuple[str, str], Sequence[int]] = field(default_factory=dict)
    found: dict[Any, tuple[Any, Reads]] = field(default_factory=dict)
    index: dict[Any, Any] = field(default_factory=dict)
    reads: Reads = field(default_factory=Reads)
    now: int = 0
    marks: dict[str, set[str]] | None = None
    read_life: LifeReader = _no_life
    read_balance: BalanceReader = _no_balance

    def __post_init__(self) -> None:
        """What is read of the city is noted, too."""
        object.__setattr__(self, "city", tracked(self.city, self.reads))

    def mark(self, devices: Sequence[Device], counts: Iterable[bool], part: str = "") -> None:
        """Note for a proof which of these devices count in a value; nothing where no proof is made."""
        if self.marks is not None:
            self.marks.setdefault(part, set()).update(d.id for d, ok in zip(devices, counts, strict=True) if ok)

    def recording(self, run: Callable[[View], T]) -> tuple[T, Reads]:
        """What `run` makes of this view, and what it read for it."""
        before, self.reads.found = self.reads.found, {}
        try:
            made = run(self)
            return made, Reads.of(self.reads.found)
        finally:
            self.reads.found = before

    def once(self, key: Any, make: Callable[[View], T]) -> T:  # noqa: ANN401 - any hashable
        """What `make` makes of this view, made once for the period under `key`; what it reads is noted every time."""
        if key not in self.found:
            self.found[key] = self.recording(make)
        made, reads = self.found[key]
        self.reads.update(reads)
        return cast(T, made)

    def devices(self, kinds: Sequence[DeviceKind], quantity: str | None = None) -> tuple[Device, ...]:
        """Registered devices of these kinds, of those that measure `quantity`."""
        if quantity is not None:
            self.reads.add("listed", quantity, *kinds)
        else:
            for kind in kinds:
                self.reads.add("kind", kind)
        key = (tuple(kinds), quantity)
        if key not in self.index:
            sources = () if quantity is None else DERIVED_FROM.get(quantity, (quantity,))
            mine = (d for d in untracked(self.city).device if d.kind in kinds)
            self.index[key] = tuple(d for d in mine if quantity is None or any(s in d.quantities for s in sources))
        devices: tuple[Device, ...] = self.index[key]
        return devices

    def picked(self, devices: tuple[Device, ...], name: str, pick: Callable[[Device], bool]) -> BoolArray:
        """Which devices `pick` picks; worked out once for the city under (name, pick)."""
        key = (name, pick, len(devices))
        if key not in self.index:
            self.index[key] = np.array([pick(d) for d in devices], dtype=np.bool_)
        chosen: BoolArray = self.index[key]
        return chosen

    def numbers(self, devices: tuple[Device, ...], name: str, of: Callable[[Device], float]) -> FloatArray:
        """`of` of each device; worked out once for the city under (name, of)."""
        key = (name, of, len(devices))
        if key not in self.index:
            self.index[key] = np.array([of(d) for d in devices], dtype=np.float64)
        numbers: FloatArray = self.index[key]
        return numbers

    def rows(self, quantity: str, kinds: Sequence[DeviceKind], *, listed: bool = True) -> Rows:
        """The period's sums of `quantity` over the devices of these kinds.

        `listed`: of those whose registry entry has the quantity; else of all, for a quantity that no entry lists.
        """
        key = ("rows", quantity, tuple(kinds), listed)
        if key not in self.found:
            devices = self.devices(kinds, quantity if listed else None)
            self.found[key] = self._sums(devices, quantity), _NOTHING
        rows: Rows = self.found[key][0]
        self.reads.add("rows", quantity, *kinds, value=rows)
        return rows

    def beside(self, devices: tuple[Device, ...], quantity: str) -> Rows:
        """The period's sums of another quantity of these devices, which `devices` gave."""
        self.reads.add("beside", quantity)
        return self._sums(devices, quantity)

    def _sums(self, devices: tuple[Device, ...], quantity: str) -> Rows:
        where = ("places", quantity, id(devices))  # kept with the devices, so that no others get their id
        known = self.index.get(where)
        size = self.sums.size(quantity)
        if known is None or known[1] != size:
            known = self.index[where] = devices, size, self.sums.places([d.id for d in devices], quantity)
        table = self.sums.of(known[2], quantity)
        return Rows(devices, *(table[:, i] for i in range(len(COLUMNS))))

    def life(self, devices: tuple[Device, ...], *quantities: str) -> tuple[FloatArray, FloatArray]:
        """Ms UTC of the first and last reading of each device in these quantities, whole days; NaN for none."""
        for quantity in quantities:
            self.reads.add("beside", quantity)
        return self.read_life([d.id for d in devices], quantities)

    @property
    def passed_until(self) -> float:
        """Ms UTC up to which the period has passed."""
        return self.period.start + self.expected_ms

    def follows(self, *quantities: str) -> None:
        """Derive this KPI, which reads no data, in the periods in which one of these quantities has any."""
        for quantity in quantities:
            self.reads.add("listed", quantity)

    def daily(self, quantity: str, kinds: Sequence[DeviceKind], back_days: int = 0) -> Daily:
        """The period's civil days of the devices of these kinds, and `back_days` before them."""
        devices = self.devices(kinds, quantity)
        self.reads.add("days", quantity, *kinds)
        self._note_back(back_days)
        key = ("daily", quantity, tuple(kinds), back_days)
        if key not in self.found:
            zone = self.city.zone
            first = (local_date(self.period.start, zone) - timedelta(days=back_days)).toordinal()
            last = local_date(self.period.end - 1, zone).toordinal()
            columns = self.read_days([d.id for d in devices], quantity, first, last)
            self.found[key] = Daily(devices, first, columns), _NOTHING
        daily: Daily = self.found[key][0]
        return daily

    def hourly(self, quantity: str, kinds: Sequence[DeviceKind], back_hours: int = 0) -> FloatArray:
        """Means of the valid hours of the period, and of `back_hours` before it; one row a device of these kinds."""
        devices = self.devices(kinds, quantity)
        self.reads.add("hours", quantity, *kinds)
        self._note_back(math.ceil(back_hours / 24))
        start = self.period.start - round(back_hours * HOUR_MS)
        return self.read_hours([d.id for d in devices], quantity, start, self.period.end)

    def _note_back(self, days: int) -> None:
        if days:
            self.reads.add("back", self.period.kind, str(days))

    def demand(self) -> Demand:
        """The period's highest demand of all meters together, and each meter's own highest."""
        for quantity in DEMAND_OF:
            self.reads.add("demand", quantity, "electricity_meter")
        if "demand" not in self.found:
            zone = self.city.zone
            first, last = (local_date(t, zone).toordinal() for t in (self.period.start, self.period.end - 1))
            self.found["demand"] = self.read_demand(first, last), _NOTHING
        demand: Demand = self.found["demand"][0]
        return demand

    def balance(self, sides: tuple[Meters, ...]) -> Balance:
        """The hours of the passed part of the period, of these meters (device, quantity) of each side.

        A derivation reads the rows of the meters besides, so that it is run again when they change.
        """
        return self.read_balance(sides, self.period.start, round(self.passed_until))

    @property
    def is_year(self) -> bool:
        """Whether the period is a year, so that 'per year' is the plain sum."""
        return self.period.kind in YEARLY
