"""The engine alone: partials in memory, no store, one core. And the replay of a year of meters."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kpi_derivation.engine.runner import Engine
from registry.city import City
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR

START = 1_704_067_200_000  # 2024-01-01


class Memory:
    """Partials of one city in memory, in place of a store."""

    def __init__(self) -> None:
        self.levels: dict[str, list[Partials]] = {"window": [], "hour": []}

    def partials(
        self, city: str, level: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See Store."""
        del city, table
        for part in self.levels[level]:
            keep = (part.start >= start) & (part.start < end)
            if series is not None:
                keep &= np.isin(part.series, series)
            yield part.take(keep)


def windows(meters: int, days: int) -> tuple[City, SeriesTable, Partials]:
    """Half-hourly meters: one partial a reading."""
    devices = [{"id": f"m-{i}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for i in range(meters)]
    city = City.model_validate(
        {"city": {"id": "x", "name": "X", "country": "NO", "timezone": "UTC", "population": 1}, "device": devices}
    )
    table = SeriesTable(Series("x", str(d["id"]), "energy_delta") for d in devices)
    t = np.tile(np.arange(START, START + days * DAY, HOUR // 2, dtype=np.int64), meters)
    series = np.repeat(np.arange(meters), len(t) // meters)
    readings = Readings.of(series, t, np.random.default_rng(1).random(len(t)))
    return city, table, fold(readings, 60_000, table.modulus(readings.series))


def engine(meters: int = 50, days: int = 365) -> dict[str, Any]:
    """Windows to hours to days to the KPIs of every period."""
    city, table, base = windows(meters, days)
    memory = Memory()
    made = Engine(city, table, memory)
    began = time.perf_counter()
    memory.levels["window"].append(base)
    memory.levels["hour"].append(made.absorb(base))
    values = made.evaluate(START + days * DAY)
    seconds = time.perf_counter() - began
    return {"what": "engine, a year of meters", "partials": len(base), "kpis": len(values), "seconds": seconds,
            "per_second": len(base) / seconds}  # fmt: skip


def replay(folder: Path, data: Path) -> dict[str, Any] | None:
    """`cityvitals replay` of the LCL year into SQLite; None where the recorded data are not there."""
    file, city = data / "long" / "lcl_2013_even.csv.gz", data / "lcl.toml"
    if not file.exists():
        return None
    command = [sys.executable, "-m", "cityvitals", "replay", str(file), "--city", str(city)]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--store", f"sqlite:///{folder / 'lcl.db'}"], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    rows = int(done.stdout.split("rows read")[1].split()[0].replace(",", ""))
    return {"what": "replay of a year of 50 meters", "readings": rows, "seconds": seconds, "per_second": rows / seconds}
