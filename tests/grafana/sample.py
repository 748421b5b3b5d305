"""A year of the sample city as recorded readings, brought into a store by `cityvitals replay`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from telemetry.periods import iso
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY, HOUR

CITY = "sample"
START = 1_704_067_200_000  # 2024-01-01
END = START + 366 * DAY
DECEMBER = START + 335 * DAY

POLLUTANTS = ("pm2_5", "pm10", "no2", "so2", "o3")
NODE = ("temperature", "humidity", "pressure", "ring_fill", "rssi", "heap_free", "uptime")
COUNTERS = ("gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_flagged")
LEVEL = {"pressure": 1000.0, "rssi": -60.0, "voltage": 230.0, "connector_state": 1.0, "laeq": 55.0}


def write(folder: Path) -> list[Path]:
    """The year as CSV files."""
    readings, sessions = folder / "readings.csv", folder / "sessions.csv"
    readings.write_text("time,device,quantity,value,unit\n" + "\n".join(_readings()) + "\n")
    sessions.write_text("start,end,device,energy_kwh,user_hash\n" + "\n".join(_sessions()) + "\n")
    return [readings, sessions]


def fill(store: str, folder: Path) -> None:
    """Replay the year into the store of that URL."""
    command = [sys.executable, "-m", "cityvitals", "replay", *write(folder), "--store", store]
    city = Path(__file__).parent / "city.toml"
    environment = {"XDG_STATE_HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*map(str, command), "--city", str(city)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _readings() -> Iterator[str]:
    for quantity in POLLUTANTS:
        yield from _hourly("air-1", quantity, START)
    for quantity in NODE:
        yield from _hourly("air-1", quantity, DECEMBER)
    yield from _hourly("meter-interval", "energy_delta", START)
    for quantity in ("energy_total", "power", "voltage"):
        yield from _hourly("meter-register", quantity, START if quantity == "energy_total" else DECEMBER)
    yield from _hourly("charger-1", "connector_state", DECEMBER)
    yield from _hourly("water-1", "water_total", DECEMBER)
    yield from _hourly("heat-1", "heat_total", DECEMBER)
    yield from _hourly("noise-1", "laeq", START)
    for quantity, value, unit in (("interrupted", 30, "count"), ("interruption", 1200, "min")):
        yield f"{iso(DECEMBER)},outages-1,{quantity}_over_5min,{value},{unit}"
    for quantity in (*COUNTERS, "gw_dirty", "gw_lag"):
        yield from _hourly("gateway-1", quantity, DECEMBER)


def _hourly(device: str, quantity: str, since: int) -> Iterator[str]:
    unit = QUANTITIES[quantity].unit
    for step, time in enumerate(range(since, END, HOUR)):
        if not (quantity == "so2" and START + 121 * DAY <= time < START + 152 * DAY):  # no value in May
            yield f"{iso(time)},{device},{quantity},{_value(quantity, step)},{unit}"


def _value(quantity: str, step: int) -> float:
    if quantity in COUNTERS or quantity.endswith("_total"):
        return 1.0 + step
    if quantity == "no2" and step % 100 == 50:
        return 9000.0  # quality control refuses it
    return LEVEL.get(quantity, 10.0) + step % 3


def _sessions() -> Iterator[str]:
    for day in range(START, END, DAY):
        yield f"{iso(day + 9 * HOUR)},{iso(day + 11 * HOUR)},charger-1,12.5,someone"
