"""A kit for authors of KPIs and payload formats outside this repository: test them with a few lines and pytest.

meter = {"id": "m1", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600}
city = CityUnderTest([meter])
city.add("m1", "energy_delta", "2024-01-01", 3600, [1.5, 2.0])
assert city.derive(my_kpi, "2024-01-01")[0].value == 3.5
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np

from gateway.decoding.decoded import Decoded, SourceOptions
from kpi_derivation.catalogue import DERIVATIONS, KPIS, Derivation
from kpi_derivation.engine.runner import Engine
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials, fold
from telemetry.periods import parse_period
from telemetry.quantities import QUANTITIES, conversion
from telemetry.readings import Readings
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import MINUTE

_LATER = 200 * 365 * 24 * 60 * MINUTE  # long after any period of a test, so that values are final


class Measured(NamedTuple):
    """One decoded reading, in the catalogue unit. `time`: ms UTC."""

    quantity: str
    value: float
    unit: str
    time: int


class CityUnderTest:
    """A city in memory: readings in, KPI values out, through the same fold and engine as in production."""

    def __init__(
        self,
        devices: Sequence[Mapping[str, Any]],
        rules: Mapping[str, Any] | None = None,
        **city: Any,  # noqa: ANN401
    ) -> None:
        """`devices`: [[device]] entries of a city file; `city`: keys of [city], such as population=1000."""
        base = {"id": "test", "name": "Test", "country": "GB", "timezone": "UTC", **city}
        self.city = City.model_validate({"city": base, "rules": rules or {}, "device": list(devices)})
        self._table = SeriesTable()
        self._readings = Readings.of([], [], [])

    def add(self, device: str, quantity: str, start: str, step_s: float, values: Sequence[float]) -> None:
        """Add readings at equal steps from `start` (ISO, UTC unless it has an offset), in the catalogue unit."""
        series = self._table.id_of(Series(self.city.id, device, quantity))
        first = _ms(start)
        times = [first + round(1000 * step_s * i) for i in range(len(values))]
        new = Readings.of([series] * len(values), times, values)
        self._readings = Readings.concat([self._readings, new])

    def derive(self, kpi: ModuleType | str, period: str) -> list[KpiValue]:
        """The values of a KPI module (`CODE` or `KPI`, `METHOD`, `derive(view)`) or of a catalogue code, by part."""
        store = _Memory(fold(self._readings, MINUTE, self._table.modulus(self._readings.series)))
        engine = Engine(self.city, self._table, store)
        store.hours = engine.absorb(store.windows)
        engine.evaluate(_LATER)
        derivation = DERIVATIONS[kpi] if isinstance(kpi, str) else _derivation(kpi)
        return engine.derive(parse_period(period, self.city.zone), _LATER, [derivation])


class _Memory:
    """The two levels of partials that the engine reads."""

    def __init__(self, windows: Partials) -> None:
        self.windows, self.hours = windows, Partials.empty()

    def partials(
        self, city: str, level: Literal["window", "hour"], start: int, end: int, table: SeriesTable,  # noqa: ARG002
        series: IntArray | None = None,
    ) -> Iterator[Partials]:  # fmt: skip
        stored = self.windows if level == "window" else self.hours
        keep = (stored.start >= start) & (stored.start < end)
        if series is not None:
            keep &= np.isin(stored.series, series)
        yield stored.take(keep)


def _derivation(module: ModuleType) -> Derivation:
    """As the catalogue makes it, without adding it there."""
    kpi = module.KPI if hasattr(module, "KPI") else KPIS[module.CODE]
    return Derivation(kpi, module.METHOD, module.derive)


def decoded(module: ModuleType, payload: bytes, arrival: str = "2024-01-01", **options: Any) -> list[Measured]:  # noqa: ANN401
    """Readings that a payload format decodes, converted to catalogue units.

    `options`: fields of SourceOptions. Raises Rejected as the format does, AssertionError for problems, unknown
    quantities and units that do not fit.
    """
    result: Decoded = module.decode(payload, _ms(arrival), SourceOptions(**options))
    assert not result.problems, f"problems: {result.problems}"  # noqa: S101 - a kit for tests
    return [_measured(*row[:4]) for row in result.rows]


def _measured(quantity: str, unit: str | None, value: float, t: int) -> Measured:
    assert quantity in QUANTITIES, f"'{quantity}' is not a quantity of the catalogue"  # noqa: S101
    target = QUANTITIES[quantity].unit
    convert = conversion(QUANTITIES[quantity], unit or target)
    assert convert is not None, f"'{unit}' is not a unit of {quantity}"  # noqa: S101
    return Measured(quantity, convert.apply(value), target, t)


def _ms(text: str) -> int:
    """Ms UTC of an ISO time; UTC where it has no offset."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
