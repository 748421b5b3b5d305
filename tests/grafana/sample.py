"""A year of the sample city, folded, stored and derived by the code that does it for live data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adapters.store import Store
from cityvitals.config import load_city
from ingest.core import Ingest
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE

CITY = "sample"
START = 1_704_067_200_000  # 2024-01-01
END = START + 366 * DAY
GATEWAY = ("gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_flagged", "gw_dirty", "gw_lag")
AIR = ("pm2_5", "pm10", "no2", "so2", "o3", "temperature", "humidity", "ring_fill")
HOURLY: dict[str, tuple[str, ...]] = {
    "air-1": (*AIR, "pressure", "rssi", "heap_free", "uptime"),
    "meter-interval": ("energy_delta",),
    "meter-register": ("energy_total", "power", "voltage"),
    "charger-1": ("connector_state",),
    "gateway-1": GATEWAY,
}
LEVEL = {"pressure": 1000.0, "rssi": -60.0, "voltage": 230.0, "connector_state": 1.0}
COUNTERS = {"energy_total", "gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_flagged"}


def fill(store: Store) -> None:
    """Write the year, KPIs included."""
    ingest = Ingest(store)
    ingest.add_city(load_city(Path(__file__).parent / "city.toml"), MINUTE)
    readings = Readings.concat([*_hourly(ingest.table), *_sessions(ingest.table)])
    partials = fold(readings, MINUTE, ingest.table.modulus(readings.series))
    ingest.take(CITY, MINUTE, partials)
    ingest.derive(END + 10 * DAY)


def _hourly(table: SeriesTable) -> list[Readings]:
    hours = np.arange(START, END, HOUR)
    return [
        _of(table, device, quantity, _with_a_gap(hours) if quantity == "so2" else hours)
        for device, quantities in HOURLY.items()
        for quantity in quantities
    ]


def _with_a_gap(hours: IntArray) -> IntArray:
    """Without May: a month for which there is no value."""
    return hours[(hours < START + 121 * DAY) | (hours >= START + 152 * DAY)]


def _of(table: SeriesTable, device: str, quantity: str, times: IntArray) -> Readings:
    series = np.full(len(times), table.id_of(Series(CITY, device, quantity)))
    steps = np.arange(len(times))
    values = 1.0 + steps if quantity in COUNTERS else LEVEL.get(quantity, 10.0) + steps % 3
    flags = np.where((quantity == "no2") & (steps % 100 == 0), 1, 0)
    return Readings.of(series, times, values, arrival=times + 250, flag=flags)


def _sessions(table: SeriesTable) -> list[Readings]:
    starts = np.arange(START, END, DAY) + 9 * HOUR
    return [_of(table, "charger-1", quantity, starts) for quantity in ("session_energy", "connected_time")]
