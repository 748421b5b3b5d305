"""A small made-up city with a year of air and electricity, replayed into a store; and how tests call the commands."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import msgspec

from cityvitals.cli.main import app

CITY = """
[city]
id = "almby"
name = "Almby"
country = "SE"
timezone = "Europe/Stockholm"
population = 10000
households = 5000
electricity_meters = 3

[city.extra]
licence = "CC-BY-4.0"

[[device]]
id = "street"
kind = "air_reference"
quantities = ["no2", "pm10"]
interval_s = 3600

[[device]]
id = "park"
kind = "air_reference"
quantities = ["no2"]
interval_s = 3600

[[device]]
id = "broken"
kind = "air_reference"
quantities = ["no2"]
interval_s = 3600

[[device]]
id = "meter-1"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 3600

[[device]]
id = "meter-2"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 3600
"""
DAYS = 31  # January 2018


def write(folder: Path, extra: str = "") -> tuple[Path, Path]:
    """CITY.toml and the readings of January: street 30 and 34 by turns, park 10, broken two days only."""
    city, readings = folder / "almby.toml", folder / "readings.csv"
    city.write_text(CITY + extra)
    lines = ["time,device,quantity,value,unit"]
    for hour in range(DAYS * 24):
        stamp = f"2018-01-{hour // 24 + 1:02}T{hour % 24:02}:00:00Z"
        lines.append(f"{stamp},street,no2,{30 + 4 * (hour % 2)},ug/m3")
        lines.append(f"{stamp},street,pm10,12.5,ug/m3")
        lines.append(f"{stamp},park,no2,10,ug/m3")
        lines.append(f"{stamp},meter-1,energy_delta,1.5,kWh")
        lines.append(f"{stamp},meter-2,energy_delta,0.5,kWh")
        if hour < 48:
            lines.append(f"{stamp},broken,no2,99,ug/m3")
    readings.write_text("\n".join(lines) + "\n")
    return city, readings


def run(*words: str | Path) -> str:
    """Standard output of `cityvitals WORDS`, in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        app(list(map(str, words)), standalone_mode=False)
    return out.getvalue()


def fill(folder: Path, extra: str = "") -> str:
    """The city's store, filled; its URL."""
    city, readings = write(folder, extra)
    store = f"sqlite:///{folder}/almby.db"
    run("replay", readings, "--city", city, "--store", store)
    return store


def show(store: str, period: str, city: str = "almby") -> dict[tuple[str, str], dict[str, Any]]:
    """(code, part) -> fields."""
    text = run("kpi", "show", "--city", city, "--store", store, "--period", period, "--format", "json")
    return {(v["code"], v["part"]): v for v in msgspec.json.decode(text)}
