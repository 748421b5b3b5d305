"""A year of the sample city up to now as recorded readings, brought into a store by `cityvitals replay`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from telemetry.periods import iso
from telemetry.quantities import QUANTITIES
from telemetry.windows import DAY, HOUR, MINUTE

CITY = "sample"
# Up to now, because half of the queries ask about now; from a midnight in January to June, so that a year is begun.
NOW = time.time_ns() // 1_000_000
END = NOW // HOUR * HOUR
TODAY = END // DAY * DAY
START = TODAY - 366 * DAY
RECENT = END - 31 * DAY
LIVE = END - 2 * HOUR  # from here on, once a minute
DIED = END - 120 * DAY  # when air-dead sent its last reading

POLLUTANTS = ("pm2_5", "pm10", "no2", "so2", "o3")
NODE = ("temperature", "humidity", "pressure", "ring_fill", "rssi", "heap_free", "uptime")
LEDGER = ("ledger_sent", "ledger_received", "ledger_missing", "ledger_duplicate")
COUNTERS = ("gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_rejected_unit", "gw_flagged", "gw_dropped")
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
    yield from _hourly("air-dead", "pm2_5", START, DIED)
    for quantity in NODE:
        yield from _hourly("air-1", quantity, RECENT)
    yield from _hourly("meter-interval", "energy_delta", START, NOW)  # the hour that has begun too: today has energy
    for quantity in ("energy_total", "power", "voltage"):
        yield from _hourly("meter-register", quantity, START if quantity == "energy_total" else RECENT)
    yield from _hourly("charger-1", "connector_state", RECENT)
    yield from _hourly("water-1", "water_total", RECENT)
    yield from _hourly("heat-1", "heat_total", RECENT)
    yield from _hourly("noise-1", "laeq", START)
    for at in range(RECENT, END, HOUR):
        yield f"{iso(at)},weather-1,wind_direction,{wind(at)},deg"
    for quantity, value, unit in (("interrupted", 30, "count"), ("interruption", 1200, "min")):
        yield f"{iso(RECENT)},outages-1,{quantity}_over_5min,{value},{unit}"
    for quantity in (*COUNTERS, "gw_dirty", "gw_lag", "gw_disk_free", "gw_cert_days"):
        yield from _hourly("gateway-1", quantity, RECENT)
    for quantity in LEDGER:
        yield from _hourly("air-1", quantity, RECENT)
    yield from _live()


def _live() -> Iterator[str]:
    """Every minute of the last two hours of what is read by the minute; one connector in fault."""
    series = [("meter-register", "power"), ("charger-1", "connector_state"), ("air-1", "rssi"), ("air-1", "ring_fill")]
    series += [("gateway-1", q) for q in (*COUNTERS, "gw_dirty", "gw_lag", "gw_disk_free", "gw_cert_days")]
    for device, quantity in series:
        for step, at in enumerate(range(LIVE, NOW - MINUTE, MINUTE)):
            value = 3.0 if quantity == "connector_state" else _value(quantity, 40 * 24 + step)
            yield f"{iso(at)},{device},{quantity},{value},{QUANTITIES[quantity].unit}"


def _hourly(device: str, quantity: str, since: int, until: int = END) -> Iterator[str]:
    unit = QUANTITIES[quantity].unit
    for step, at in enumerate(range(since, until, HOUR)):
        if not (quantity == "so2" and START + 90 * DAY <= at < START + 160 * DAY):  # a whole month without a value
            yield f"{iso(at)},{device},{quantity},{_value(quantity, step)},{unit}"


def wind(at: int) -> float:
    """From the north, on either side of it, when PM2.5 is 12; from the south-west when it is 10 or 11."""
    hours = (at - START) // HOUR
    return 225.0 if hours % 3 < 2 else (10.0, 350.0)[hours % 2]


def _value(quantity: str, step: int) -> float:
    if quantity in COUNTERS or quantity in LEDGER or quantity.endswith("_total"):
        return 1.0 + step
    if quantity == "no2" and step % 100 == 50:
        return 9000.0  # quality control refuses it
    return LEVEL.get(quantity, 10.0) + step % 3


def _sessions() -> Iterator[str]:
    """One each morning, and one that began with today, however early it is."""
    for day in range(START, TODAY, DAY):
        yield f"{iso(day + 9 * HOUR)},{iso(day + 11 * HOUR)},charger-1,12.5,someone"
    yield f"{iso(TODAY)},{iso(min(TODAY + HOUR, NOW))},charger-1,12.5,someone"
