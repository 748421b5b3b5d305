"""Measure what the job of the distributed engine costs: docs/scale.json, for docs/scale.md.

    python -m tests.scale.load            # all sizes and a divided city: ten minutes of processor time
    python -m tests.scale.load --small    # the smallest only, seconds

Each size is so many cities of so many series, one window a series and minute, one tick a city and so many minutes, one
minute after another as fast as they can be worked on. At most WORKER cities are in one process, as the workers of an
engine divide them; these processes run one after another. Counted are processor time, records, bytes of the log, of the
state and of the values, and the time in which a job is made from its state. The engine's own cost is in
docs/decisions.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np

from registry.city import City
from scale.districts import District, DistrictJob, split
from scale.job import CityJob
from scale.merging import MergingJob
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
WORKER = 40  # cities in one process
# Cities, series a city, minutes, minutes between ticks: three sizes of the same cities, an hour of one, a larger one.
SIZES = (
    (4, 2500, 3, 1), (1, 2500, 60, 1), (1, 2500, 60, 5), (1, 10_000, 3, 1), (40, 2500, 3, 1), (400, 2500, 3, 1),
)  # fmt: skip
DIVIDED = (10_000, 3, 4)  # series, minutes, districts


@dataclass
class Cost:
    """What one size costs. `cpu_s`: of the job alone, the making of records apart; `processes`: one after another.

    `restart_cpu_s`: to make all jobs from their states. `peak_rss_bytes`: of the largest process.
    """

    cities: int
    series_a_city: int
    minutes: int
    tick_minutes: int
    processes: int = 0
    cpu_s: float = 0.0
    restart_cpu_s: float = 0.0
    records: int = 0
    log_bytes: int = 0
    state_bytes: int = 0
    value_bytes: int = 0
    peak_rss_bytes: int = 0

    def add(self, part: Cost) -> None:
        """Count the work of one more process."""
        self.processes += part.processes
        self.cpu_s += part.cpu_s
        self.restart_cpu_s += part.restart_cpu_s
        self.records += part.records
        self.log_bytes += part.log_bytes
        self.state_bytes += part.state_bytes
        self.value_bytes += part.value_bytes
        self.peak_rss_bytes = max(self.peak_rss_bytes, part.peak_rss_bytes)


@dataclass
class Divided:
    """What a divided city costs: processor seconds by step, that of the districts of the slowest and of all."""

    series: int
    minutes: int
    districts: int
    split_cpu_s: float = 0.0
    slowest_cpu_s: float = 0.0
    districts_cpu_s: float = 0.0
    merging_cpu_s: float = 0.0
    onward_bytes: int = 0


def city(name: str, series: int) -> City:
    """A city of electricity meters."""
    devices = [{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for n in range(series)]
    plain = {"id": name, "name": name, "country": "NG", "timezone": "Africa/Lagos", "population": 10 * series}
    return City.model_validate({"city": plain, "device": devices, "rules": {"period_capture": 0.0}})


def file_of(name: str, series: int) -> bytes:
    """The record of its file."""
    plain = msgspec.json.encode(city(name, series).model_dump(mode="json", exclude_defaults=True))
    return city_file(name, plain, BEGIN).encoded()


def records(name: str, series: int, minute: int, dice: np.random.Generator, every: int = 1) -> Iterator[bytes]:
    """The windows of one minute, by gateways, and the tick that follows those of so many minutes."""
    start, now = BEGIN + minute * MINUTE, BEGIN + (minute + 1) * MINUTE
    for number, first in enumerate(range(0, series, GATEWAY_DEVICES)):
        count = min(GATEWAY_DEVICES, series - first)
        table = SeriesTable(Series(name, f"m{n}", "energy_delta") for n in range(first, first + count))
        values = dice.uniform(0, 1, count).round(3).tolist()
        readings = Readings.of(list(range(count)), [start] * count, values)
        message = encode(name, MINUTE, fold(readings, MINUTE, table.modulus(readings.series)), table, minute + 1)
        yield Record(windows_topic(name, f"gw{number}"), now, message).encoded()
    if (minute + 1) % every == 0:
        yield tick(name, now).encoded()


def in_one_process(first: int, cities: int, series: int, minutes: int, every: int) -> Cost:
    """Run the jobs of these cities in this process."""
    cost, dice = Cost(cities, series, minutes, every, 1), np.random.default_rng(first)
    states: dict[str, State] = {f"c{n}": {} for n in range(first, first + cities)}
    jobs = {name: CityJob(name, state) for name, state in states.items()}
    for name, job in jobs.items():
        job.take(file_of(name, series))
    for minute in range(minutes):
        for name, job in jobs.items():
            for record in records(name, series, minute, dice, every):
                began = time.process_time()
                output = job.take(record)
                cost.cpu_s += time.process_time() - began
                if output.refused:
                    raise SystemExit(output.refused[0].reason)
                cost.records += 1
                cost.log_bytes += len(record)
                cost.value_bytes += sum(len(msgspec.json.encode(value)) for value in output.values)
    cost.state_bytes = sum(len(key) + len(value) for state in states.values() for key, value in state.items())
    cost.peak_rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    jobs.clear()
    began = time.process_time()
    for name, state in states.items():
        CityJob(name, state)
    cost.restart_cpu_s = time.process_time() - began
    return cost


def measure(cities: int, series: int, minutes: int, every: int) -> Cost:
    """Run the jobs of all these cities, at most WORKER in a process of its own."""
    cost = Cost(cities, series, minutes, every)
    for first in range(0, cities, WORKER):
        with multiprocessing.get_context("spawn").Pool(1) as worker:
            cost.add(worker.apply(in_one_process, (first, min(WORKER, cities - first), series, minutes, every)))
    return cost


def measure_divided(series: int, minutes: int, count: int) -> Divided:
    """Run one city of so many districts in this process."""
    found, dice = Divided(series, minutes, count), np.random.default_rng(1)
    homes = [District("c0", number, count) for number in range(count)]
    jobs = {home: DistrictJob(home, {}) for home in homes}
    merging, spent = MergingJob("c0", {}, count), dict.fromkeys(homes, 0.0)
    clock = time.process_time

    def worked_on(record: bytes, counted: bool) -> None:
        began = clock()
        parts = list(split(record, count))
        found.split_cpu_s += (clock() - began) * counted
        for home, part in parts:
            began = clock()
            onward = jobs[home].take(part).onward
            spent[home] += (clock() - began) * counted
            for one in onward:
                found.onward_bytes += len(one)
                began = clock()
                merging.take(one)
                found.merging_cpu_s += (clock() - began) * counted

    worked_on(file_of("c0", series), False)
    for minute in range(minutes):
        for record in records("c0", series, minute, dice):
            worked_on(record, True)
    found.slowest_cpu_s, found.districts_cpu_s = max(spent.values()), sum(spent.values())
    return found


def main() -> None:
    """Measure and write docs/scale.json; with --small print only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    costs = []
    for size in SIZES[:1] if small else SIZES:
        costs.append(asdict(measure(*size)))
        print(json.dumps(costs[-1]), flush=True)
    divided = asdict(measure_divided(*DIVIDED))
    print(json.dumps(divided), flush=True)
    if not small:
        OUT.write_text(json.dumps({"costs": costs, "divided": divided}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
