"""Two years of two stations, two meters and a thermometer, stored as hours; the measure began on 2 January 2019."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR

BEGAN = 1_546_387_200_000  # 2 January 2019, 364 days after 3 January 2018
START, END = BEGAN - 367 * DAY, BEGAN + 363 * DAY
LOWERED, SAVED = -6.0, 0.2  # ug/m3; share

CONFIG: dict[str, Any] = {
    "city": {"id": "long", "name": "Long", "country": "GB", "timezone": "UTC"},
    "device": [
        {"id": "street", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600},
        {"id": "park", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600},
        {"id": "mast", "kind": "air_reference", "quantities": ["temperature"], "interval_s": 3600},
        {"id": "school", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600},
        {"id": "library", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600},
    ],
}


def hours() -> dict[tuple[str, str], Any]:
    """The value of every hour of every series."""
    rng = np.random.default_rng(3)
    t = START + HOUR * np.arange((END - START) // HOUR)
    day, year = 2 * np.pi * (t % DAY) / DAY, 2 * np.pi * t / (365.25 * DAY)
    after = t >= BEGAN
    weather = np.repeat(rng.normal(0, 4, len(t) // 24 + 1), 24)[: len(t)]
    warmth = 9 - 8 * np.cos(year) + 3 * np.sin(day) + 0.5 * weather
    park = 22 + 5 * np.cos(year) + weather
    week = np.where((t // DAY + 3) % 7 < 5, 1.0, 0.6)
    energy = (20 + 1.5 * np.maximum(15 - warmth, 0)) * week * (1 + 0.3 * np.sin(day))
    return {
        ("park", "no2"): park + rng.normal(0, 1, len(t)),
        ("street", "no2"): park + 15 + LOWERED * after + rng.normal(0, 1.5, len(t)),
        ("mast", "temperature"): warmth,
        ("library", "energy_delta"): energy + rng.normal(0, 0.5, len(t)),
        ("school", "energy_delta"): 2 * energy * (1 - SAVED * after) + rng.normal(0, 0.5, len(t)),
    }


def stored(folder: Path) -> SqliteStore:
    """A store of all hours."""
    store = SqliteStore(folder / "long.db")
    store.put_city(CityRecord("long", CONFIG, 60_000))
    table, parts = SeriesTable(), []
    for (device, quantity), values in hours().items():
        t = START + HOUR * np.arange(len(values), dtype=np.int64)
        series = table.id_of(Series("long", device, quantity))
        parts.append(Readings.of(np.full(len(t), series), t, values))
    every = Readings.concat(parts)
    found: Partials = fold(every, HOUR, table.modulus(every.series))
    store.put_partials("hour", found, table)
    return store
