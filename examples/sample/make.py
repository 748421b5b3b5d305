"""Make the sample city's readings and sessions: invented numbers, the same at every run.

    python examples/sample/make.py

January and February of 2024 and 2025: a street, a park, a low-cost sensor beside the street's station, a house with its
garage, five homes. On 1 January 2025 the street's traffic fell by a fifth, so that NO2 is lower there, not in the park.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
HOUR = timedelta(hours=1)
MONTHS = ((datetime(2024, 1, 1, tzinfo=UTC), 60), (datetime(2025, 1, 1, tzinfo=UTC), 59))
Row = tuple[str, ...]


def hours() -> Iterator[datetime]:
    """Every hour of the four months."""
    for start, days in MONTHS:
        yield from (start + n * HOUR for n in range(24 * days))


def readings(chance: random.Random) -> Iterator[Row]:
    """Hourly rows: time, device, quantity, value, unit."""
    weather = 0.0
    for time in hours():
        weather = 0.9 * weather + chance.gauss(0, 0.12)
        traffic = rush(time)
        fewer = 0.8 if time.year == 2025 else 1.0
        park = math.exp(weather) * (14 + 4 * traffic)
        street = park + fewer * (8 + 26 * traffic) * math.exp(0.3 * weather + chance.gauss(0, 0.1))
        yield row(time, "air-street", "no2", street, "ug/m3")
        yield row(time, "air-park", "no2", park * math.exp(chance.gauss(0, 0.05)), "ug/m3")
        if time.year == 2025:
            fine = 5 + 0.15 * street + abs(chance.gauss(0, 0.6))
            damp = min(98.0, max(35.0, 75 - 15 * weather + chance.gauss(0, 5)))
            yield row(time, "air-street", "pm2_5", fine, "ug/m3")
            yield row(time, "sensor-1", "pm2_5", 1.4 * fine + 0.05 * (damp - 60) + chance.gauss(0, 0.7), "ug/m3")
            yield row(time, "sensor-1", "humidity", damp, "%")
            yield row(time, "meter-house", "energy_delta", 9 + 7 * evening(time) + abs(chance.gauss(0, 1)), "kWh")


def homes(chance: random.Random) -> Iterator[Row]:
    """Hourly energy of five homes in January 2025."""
    start, _ = MONTHS[1]
    for n in range(24 * 31):
        for home in range(1, 6):
            used = 0.3 + (0.4 + 0.2 * home) * evening(start + n * HOUR) * chance.uniform(0.6, 1.4)
            yield row(start + n * HOUR, f"meter-{home}", "energy_delta", used, "kWh")


def sessions(chance: random.Random) -> Iterator[Row]:
    """Charging sessions of twelve invented users: start, end, device, energy_kwh, user_hash."""
    start, days = MONTHS[1]
    made = []
    for user in range(12):
        for day in range(days):
            if chance.random() < 0.45:
                begin = start + timedelta(days=day, hours=16, minutes=chance.randrange(240))
                end = begin + timedelta(minutes=600 + chance.randrange(120))
                energy = f"{chance.uniform(4, 22):.2f}"
                made.append((stamp(begin), stamp(end), f"garage-{user % 6 + 1}", energy, f"user{user:02}"))
    yield from sorted(made)


def rush(time: datetime) -> float:
    """Traffic between 0 and 1: two peaks on working days."""
    peaks = math.exp(-(((time.hour - 7) / 2) ** 2)) + math.exp(-(((time.hour - 15) / 2.5) ** 2))
    return peaks * (1.0 if time.weekday() < 5 else 0.4)


def evening(time: datetime) -> float:
    """The shape of a house's load between 0 and 1."""
    return math.exp(-(((time.hour - 18) / 3) ** 2))


def row(time: datetime, device: str, quantity: str, value: float, unit: str) -> Row:
    """One line of the file of readings."""
    return (stamp(time), device, quantity, f"{max(0.1, value):.1f}", unit)


def stamp(time: datetime) -> str:
    """RFC 3339, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def contents() -> dict[str, str]:
    """File name and text of both files."""
    tables = {
        "readings.csv.gz": [
            ("time", "device", "quantity", "value", "unit"),
            *readings(random.Random(1)),
            *homes(random.Random(3)),
        ],
        "sessions.csv.gz": [("start", "end", "device", "energy_kwh", "user_hash"), *sessions(random.Random(2))],
    }
    texts = {}
    for name, rows in tables.items():
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        texts[name] = out.getvalue()
    return texts


if __name__ == "__main__":
    for name, text in contents().items():
        (HERE / name).write_bytes(gzip.compress(text.encode(), mtime=0))
        sys.stdout.write(f"{HERE / name}: {text.count(chr(10)):,} lines\n")
