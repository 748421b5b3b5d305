"""What the job costs on a real Kafka and Flink, in compressed time: docs/scale_flink.json, for docs/scale.md.

    python -m tests.scale.flink_load --cities 40 --series 2500 --minutes 2

Windows of all series, a minute each, as fast as the job works on them: 40 cities after the other 40, so that a worker
has no more in memory than `scale.flink_job --kept` says. Nothing is disturbed here; that is `tests/scale/proof.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import psutil

from scale.records import city_file
from tests.processes import wait_for
from tests.scale.cases import steady_city
from tests.scale.load import BEGIN, WORKER_CITIES, city, records
from tests.scale.servers import Flink, Kafka
from tests.scale.topics import Reader, create, producer

LOG, VALUES = "cityvitals.log", "cityvitals.values"


def log_of(first: int, cities: int, series: int, minutes: int) -> Iterator[tuple[str, bytes]]:
    """The records of so many cities, from number `first` on."""
    dice, names = np.random.default_rng(first), [f"c{n}" for n in range(first, first + cities)]
    for name in names:
        plain = msgspec.json.encode(city(name, series).model_dump(mode="json", exclude_defaults=True))
        yield name, city_file(name, plain, BEGIN).encoded()
    for minute in range(minutes):
        for name in names:
            yield from ((name, record) for record in records(name, series, minute, dice))


class Run:
    """A cluster with the job on two slots."""

    def __init__(self, folder: Path) -> None:
        self._kafka = Kafka(folder / "kafka")
        create(self._kafka.address, LOG, VALUES)
        self._flink = Flink(folder / "flink", 2)
        self._flink.add(1)
        words = ["--brokers", self._kafka.address, "--log", LOG, "--values", VALUES, "--interval", "5000"]
        job = self._flink.submit(*words, slots=2)
        wait_for(lambda: self._flink.rest.checkpoints(job) > 1, 180, "checkpoints")
        self.to, self._reader = producer(self._kafka.address), Reader(self._kafka.address, VALUES)
        self.values = self.value_bytes = self.log_bytes = self.peak = 0
        self._used: dict[tuple[int, float], tuple[str, float]] = {}  # process -> what it is, processor time
        self._base = self._cpu()

    def write(self, log: Iterator[tuple[str, bytes]]) -> None:
        """Append these records."""
        for name, record in log:
            self.to.produce(LOG, record, key=name)
            self.log_bytes += len(record)
        self.to.flush()

    def read(self) -> None:
        """Take committed values, and note memory and processor time."""
        self.values += self._reader.read(0.1)
        self.value_bytes += sum(len(key) + len(value) for key, value in self._reader.found)
        self._reader.found.clear()
        self.peak = max(self.peak, self._flink.memory())
        self._cpu()

    def _cpu(self) -> dict[str, float]:
        """Seconds of the JVMs of Flink, of its Python, and of Kafka."""
        for top in (self._flink.master, *self._flink.managers.values(), self._kafka.process):
            found = psutil.Process(top.pid)
            for one in (found, *found.children(recursive=True)):
                try:
                    kind = "kafka" if top is self._kafka.process else "jvm" if "java" in one.name() else "python"
                    self._used[one.pid, one.create_time()] = (kind, sum(one.cpu_times()[:2]))
                except psutil.NoSuchProcess:
                    continue
        return {kind: sum(s for k, s in self._used.values() if k == kind) for kind in ("jvm", "python", "kafka")}

    def cost(self) -> dict[str, float]:
        """Processor time since the job runs."""
        return {f"{kind}_s": round(total - self._base[kind], 1) for kind, total in self._cpu().items()}

    def close(self) -> None:
        """End everything."""
        self._reader.close()
        self._flink.close()
        self._kafka.close()


def measure(folder: Path, cities: int, series: int, minutes: int) -> dict[str, float]:
    """The cost of one size."""
    of_city = len(steady_city(1, series, minutes).written)  # values, of each city as many
    run = Run(folder)
    try:
        began = time.monotonic()
        for first in range(0, cities, WORKER_CITIES):
            run.write(log_of(first, min(WORKER_CITIES, cities - first), series, minutes))
            while run.values < of_city * (first - WORKER_CITIES):  # at most two groups ahead of the job
                run.read()
        while run.values < of_city * cities:
            run.read()
        found = {"cities": cities, "series_a_city": series, "minutes": minutes, "values": run.values}
        amounts = {"log_bytes": run.log_bytes, "value_bytes": run.value_bytes, "peak_bytes": run.peak}
        return {**found, **run.cost(), **amounts, "seconds": round(time.monotonic() - began, 1)}
    finally:
        run.close()


def main() -> None:
    """Measure and print what docs/scale_flink.json has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cities", type=int, default=4)
    parser.add_argument("--series", type=int, default=2500, help="of a city")
    parser.add_argument("--minutes", type=int, default=2)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="cityvitals-scale-") as folder:
        print(json.dumps(measure(Path(folder), given.cities, given.series, given.minutes)))


if __name__ == "__main__":
    main()
