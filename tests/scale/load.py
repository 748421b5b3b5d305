"""Measure what the job of the distributed engine costs, in this process: docs/scale.json, for docs/scale.md.

    python -m tests.scale.load            # 10^4, 10^5 and 10^6 series, a large city, an hour: ten minutes of one core
    python -m tests.scale.load --small    # 10^4 only, a few seconds

Each size is so many cities of so many series, one window a series and minute, one tick a city and minute, given as fast
as they are worked on. A worker has at most 40 cities, in a process of its own; of more cities one worker follows
another, because a city's job does not know of others. Counted are processor time, memory, bytes of the log (network
in), of values (network out) and of the state. The engine's own cost is in docs/decisions.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np

from registry.city import City
from scale.job import CityJob
from scale.records import Record, city_file, tick
from scale.state import State
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.topics import windows_topic
from telemetry.windows import MINUTE
from telemetry.wire import encode

OUT = Path(__file__).parents[2] / "docs" / "scale.json"
BEGIN = 1_709_294_400_000
GATEWAY_DEVICES = 500  # series in one windows message
WORKER_CITIES = 40
# Cities, series a city, minutes. The last is an hour, at whose end each tick has most windows to go through.
SIZES = ((4, 2500, 2), (40, 2500, 2), (400, 2500, 2), (1, 10_000, 2), (1, 2500, 60))


@dataclass
class Cost:
    """What one size costs. `cpu_s`: of the job alone, the making of records apart."""

    cities: int
    series_a_city: int
    minutes: int
    cpu_s: float = 0.0
    records: int = 0
    log_bytes: int = 0
    state_bytes: int = 0
    value_bytes: int = 0
    peak_rss_bytes: int = 0  # of the largest worker
    base_rss_bytes: int = 0  # of a worker before its first city

    def add(self, other: Cost) -> None:
        """Another worker."""
        for name in ("cpu_s", "records", "log_bytes", "state_bytes", "value_bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.peak_rss_bytes = max(self.peak_rss_bytes, other.peak_rss_bytes)
        self.base_rss_bytes = max(self.base_rss_bytes, other.base_rss_bytes)


def city(name: str, series: int) -> City:
    """A city of electricity meters."""
    devices = [{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for n in range(series)]
    plain = {"id": name, "name": name, "country": "NG", "timezone": "Africa/Lagos", "population": 10 * series}
    return City.model_validate({"city": plain, "device": devices, "rules": {"period_capture": 0.0}})


def records(name: str, series: int, minute: int, dice: np.random.Generator) -> Iterator[bytes]:
    """The windows of one minute, by gateways, and the tick that follows them."""
    start, now = BEGIN + minute * MINUTE, BEGIN + (minute + 1) * MINUTE
    for number, first in enumerate(range(0, series, GATEWAY_DEVICES)):
        count = min(GATEWAY_DEVICES, series - first)
        table = SeriesTable(Series(name, f"m{n}", "energy_delta") for n in range(first, first + count))
        values = dice.uniform(0, 1, count).round(3).tolist()
        readings = Readings.of(list(range(count)), [start] * count, values)
        message = encode(name, MINUTE, fold(readings, MINUTE, table.modulus(readings.series)), table, minute + 1)
        yield Record(windows_topic(name, f"gw{number}"), now, message).encoded()
    yield tick(name, now).encoded()


def worked_on(first: int, cities: int, series: int, minutes: int) -> Cost:
    """Run the job of so many cities, from number `first` on, in this process."""
    cost, dice = Cost(cities, series, minutes), np.random.default_rng(1 + first)
    cost.base_rss_bytes = peak_rss()
    states: dict[str, State] = {f"c{n}": {} for n in range(first, first + cities)}
    jobs = {name: CityJob(name, state) for name, state in states.items()}
    for name, job in jobs.items():
        plain = msgspec.json.encode(city(name, series).model_dump(mode="json", exclude_defaults=True))
        job.take(city_file(name, plain, BEGIN).encoded())
    for minute in range(minutes):
        for name, job in jobs.items():
            for record in records(name, series, minute, dice):
                began = time.process_time()
                output = job.take(record)
                cost.cpu_s += time.process_time() - began
                if output.rejected:
                    raise SystemExit(output.rejected[0].reason)
                cost.records += 1
                cost.log_bytes += len(record)
                cost.value_bytes += sum(len(msgspec.json.encode(value)) for value in output.values)
    cost.state_bytes = sum(len(key) + len(value) for state in states.values() for key, value in state.items())
    cost.peak_rss_bytes = peak_rss()
    return cost


def peak_rss() -> int:
    """Bytes, the most that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(cities: int, series: int, minutes: int) -> Cost:
    """The cost of all workers of this size, each in a new process."""
    cost = Cost(cities, series, minutes)
    for first in range(0, cities, WORKER_CITIES):
        with ProcessPoolExecutor(1, get_context("spawn")) as one:
            count = min(WORKER_CITIES, cities - first)
            cost.add(one.submit(worked_on, first, count, series, minutes).result())
        print(f"{first + count} of {cities} cities, {cost.cpu_s:.1f} s of processor time", flush=True)
    return cost


def main() -> None:
    """Measure and write docs/scale.json; with --small print only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    found = []
    for size in SIZES[:1] if small else SIZES:
        found.append(asdict(measure(*size)))
        print(json.dumps(found[-1]), flush=True)
    if not small:
        OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
