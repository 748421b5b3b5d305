"""A city in memory: readings in, KPI values out, through fold, engine and a store that is a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np

from kpi_derivation.catalogue import DERIVATIONS
from kpi_derivation.engine.runner import Engine
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials, fold
from telemetry.periods import parse_period
from telemetry.readings import Readings
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import MINUTE

LATER = 200 * 365 * 24 * 60 * MINUTE


class Reading(NamedTuple):
    """One accepted reading; `time` in ms UTC."""

    time: int
    device: str
    quantity: str
    value: float
    key: int = 0


class Memory:
    """The store's partials, replaced on their identity."""

    def __init__(self) -> None:
        self.levels: dict[str, Partials] = {"window": Partials.empty(), "hour": Partials.empty()}

    def put(self, level: str, partials: Partials) -> None:
        if len(partials):
            self.levels[level] = Partials.concat([self.levels[level], partials]).latest()

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        held = self.levels[level]
        keep = (held.start >= start) & (held.start < end)
        if series is not None:
            keep &= np.isin(held.series, series)
        yield held.take(keep)


class World:
    """One city's engine over a `Memory`."""

    def __init__(self, devices: list[dict[str, Any]], rules: dict[str, Any] | None = None, **city: Any) -> None:
        base = {"id": "c", "name": "C", "country": "GB", "timezone": "UTC", **city}
        self.city = City.model_validate({"city": base, "rules": rules or {}, "device": devices})
        self.table, self.memory, self.readings = SeriesTable(), Memory(), Readings.of([], [], [])
        self.engine = Engine(self.city, self.table, self.memory)

    def take(self, readings: Iterable[Reading], width: int = MINUTE) -> None:
        """Fold each touched window again from all its readings, as a gateway does."""
        rows = list(readings)
        ids = [self.table.id_of(Series(self.city.id, r.device, r.quantity)) for r in rows]
        new = Readings.of(ids, [r.time for r in rows], [r.value for r in rows], [r.key for r in rows])
        self.readings = Readings.concat([self.readings, new])
        touched = np.unique(np.stack((new.series, new.t // width)), axis=1)
        every = np.stack((self.readings.series, self.readings.t // width))
        code = every[0] * (1 << 40) + every[1]
        rows_of = np.flatnonzero(np.isin(code, touched[0] * (1 << 40) + touched[1]))
        again = self.readings.take(rows_of)
        windows = fold(again, width, self.table.modulus(again.series))
        self.memory.put("window", windows)
        self.memory.put("hour", self.engine.absorb(windows))

    def restart(self) -> None:
        """A new engine that knows what the store holds and nothing else."""
        self.engine = Engine(self.city, self.table, self.memory)
        hours, windows = self.memory.levels["hour"], self.memory.levels["window"]
        if len(hours):
            span = int(hours.start.min()), int(hours.start.max())
            self.engine.restore(span, int(windows.start.max()))

    def values(self, period: str, now: int = LATER) -> dict[tuple[str, str], KpiValue]:
        """The period's values by code and part."""
        self.engine.evaluate(now)
        found = self.engine.derive(parse_period(period, self.city.zone), now)
        return {(v.code, v.part): v for v in found}

    def value(self, code: str, period: str, part: str = "") -> KpiValue:
        self.engine.evaluate(LATER)
        found = self.engine.derive(parse_period(period, self.city.zone), LATER, [DERIVATIONS[code]])
        return next(v for v in found if v.part == part)


def at(text: str) -> int:
    """Ms UTC of an ISO time without offset."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def every(start: str, count: int, step_ms: int, device: str, quantity: str, values: Iterable[float]) -> list[Reading]:
    """Readings at equal steps."""
    first = at(start)
    times = range(first, first + count * step_ms, step_ms)
    return [Reading(t, device, quantity, v) for t, v in zip(times, values, strict=False)]
