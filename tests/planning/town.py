"""A small invented town for a month, stored as ingest stores it: meters of quarters, generation, heat, two stations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from planning.charging.sessions import Sessions
from registry.city import City
from telemetry.kpi_value import StoredKpi
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE

START, END = 1_546_300_800_000, 1_546_300_800_000 + 31 * DAY  # January 2019, UTC
NOW = END + 30 * DAY
METERS = tuple(f"meter-{i}" for i in range(6))
QUARTERS = (END - START) // (15 * MINUTE)


def config(**more: Any) -> dict[str, Any]:
    meters = [
        {"id": m, "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 900, "role": "residential"}
        for m in METERS
    ]
    others = [
        {
            "id": "roof",
            "kind": "electricity_meter",
            "quantities": ["energy_delta"],
            "interval_s": 900,
            "role": "generation",
        },
        {"id": "heat", "kind": "heat_meter", "quantities": ["heat_total"], "interval_s": 3600},
        {"id": "street", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600},
        {"id": "park", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600},
    ]
    numbers = {"id": "town", "name": "Town", "country": "GB", "timezone": "UTC", "population": 1000,
               "emission_factor_kg_per_kwh": 0.4, "electricity_customers": 100}  # fmt: skip
    return {"city": numbers, "device": [*meters, *others], **more}


def load(meter: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """KWh of each quarter."""
    rng = np.random.default_rng([1, meter])
    day = 1.0 + np.sin(2 * np.pi * (np.arange(QUARTERS) / 96 - 0.5))
    return 0.05 + 0.1 * day + rng.exponential(0.08, QUARTERS)


def sun() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """KWh of each quarter of a 2 kWp roof."""
    return np.repeat(np.maximum(np.sin(2 * np.pi * (np.arange(QUARTERS // 4) / 24 - 0.25)), 0.0) * 0.3, 4)


def stored(folder: Path, **more: Any) -> tuple[SqliteStore, City, list[StoredKpi]]:
    """The store, the city and every value that was derived."""
    store = SqliteStore.from_url(f"sqlite:///{folder / 'town.db'}")
    city = City.model_validate(config(**more))
    ingest = Ingest(store)
    ingest.add_city(city, MINUTE)
    parts = []

    def add(device: str, quantity: str, values: Any, step: int) -> None:
        times = START + step * np.arange(len(values), dtype=np.int64)
        series = ingest.table.id_of(Series("town", device, quantity))
        parts.append(Readings.of(np.full(len(times), series), times, values))

    for number, meter in enumerate(METERS):
        add(meter, "energy_delta", load(number), 15 * MINUTE)
    add("roof", "energy_delta", sun(), 15 * MINUTE)
    hours = np.arange((END - START) // HOUR)
    add("heat", "heat_total", 100.0 + np.cumsum(2.0 + np.cos(hours)), HOUR)
    add("park", "no2", 20 + 3 * np.sin(hours / 5.0), HOUR)
    add("street", "no2", 35 + 6 * np.sin(hours / 5.0), HOUR)
    every = Readings.concat(parts)
    ingest.take("town", fold(every, MINUTE, ingest.table.modulus(every.series)))
    return store, city, ingest.derive(NOW)


def sessions(users: int = 12) -> Sessions:
    """Every user every other evening of January 2018, at times of their own."""
    rng = np.random.default_rng(7)
    start, end, kwh, user = [], [], [], []
    for u in range(users):
        for day in range(u % 2, 31, 2):
            begin = START - 364 * DAY + day * DAY + (1000 + int(rng.integers(0, 240))) * MINUTE
            start.append(begin)
            end.append(begin + 700 * MINUTE)
            kwh.append(float(rng.uniform(5, 20)))
            user.append(f"user-{u}")
    return Sessions.of(start, end, kwh, user)
