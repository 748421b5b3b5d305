"""The job on a real Flink and a real Kafka, while both are disturbed: `make scale-test`.

    python -m tests.scale.proof                        # 100 random cities, ten minutes, a worker killed every 30 s
    python -m tests.scale.proof --minutes 2 --cities 6 --steady 1

One log has the records of all cities, some of which run in districts. While it grows a TaskManager is killed (SIGKILL,
with its Python workers) every `--each` seconds and another is started; the job is rescaled by a savepoint 1 -> 4 -> 2;
Kafka is killed and started again. At the end every value that was committed is compared, byte for byte, with those that
the same log gives in one process, and the newest of each with the embedded engine, to which all readings were given
once.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import wait_for
from tests.replay.recorded import DATA
from tests.scale import cases as made
from tests.scale.compare import Message, difference
from tests.scale.servers import ENGINE, Flink, Kafka, is_there, resident
from tests.scale.topics import Reader, create, producer, write

SLOTS = 2  # of a TaskManager
LOG, VALUES = "cityvitals.log", "cityvitals.values"
MIB = 1 << 20
DISTRICTS = 3
DIVIDED = ("random-1", "random-2", "meters", "steady-0")  # cities that run as districts, compared with the undivided


class Run:
    """One job on one cluster, and what has been done to both."""

    def __init__(self, folder: Path, interval: int, divided: Sequence[str]) -> None:
        self.kafka = Kafka(folder / "kafka")
        create(self.kafka.address, LOG, VALUES)
        self.flink = Flink(folder / "flink", SLOTS)
        self.flink.add(1)
        self.began = time.monotonic()
        self.reader = Reader(self.kafka.address, VALUES)
        self._words = ["--brokers", self.kafka.address, "--log", LOG, "--values", VALUES, "--interval", str(interval)]
        self.divided = [word.partition("=")[0] for word in divided]
        self._words += ["--districts", *divided] if divided else []
        self.kills = self.peak = 0
        self.scales: list[int] = []
        self.restarts = 0
        self.recoveries: list[float] = []
        self._disturbed = 0.0
        self.scale(1)

    def say(self, sentence: str) -> None:
        """Print with the time since the start."""
        print(f"{time.monotonic() - self.began:6.0f} s  {len(self.reader.found):7,} values  {sentence}", flush=True)

    def read(self) -> None:
        """Take committed values; the first after a disturbance shows that the job has recovered."""
        if self.reader.read() and self._disturbed:
            self.recoveries.append(time.monotonic() - self._disturbed)
            self._disturbed = 0.0
        self.peak = max(self.peak, self.flink.memory() + resident(self.kafka.process))

    def kill(self, dice: random.Random) -> None:
        """Kill a TaskManager; another takes its place."""
        self.flink.replace()
        self.flink.kill(dice.choice(self.flink.alive()))
        self.kills += 1
        self._disturbed = time.monotonic()
        self.say("killed a TaskManager")
        self.flink.add(1)

    def scale(self, slots: int) -> None:
        """End the job with a savepoint and start it on another number of slots."""
        savepoint = self.stop() if self.scales else ""
        missing = -(-slots // SLOTS) - len(self.flink.managers)
        if missing > 0:
            self.flink.add(missing)
        self.job = self.flink.submit(*self._words, slots=slots, savepoint=savepoint)
        self.scales.append(slots)
        self.say(f"runs on {slots} slots" + (" from a savepoint" if savepoint else ""))

    def stop(self) -> str:
        """End the job with a savepoint, with which the last values are committed; read them."""
        while True:
            wait_for(lambda: self.flink.rest.is_running(self.job), 180, "all tasks to run")
            with suppress(RuntimeError):  # a checkpoint can fail: try again
                place = self.flink.rest.stop(self.job)
                self.reader.drain()
                return place

    def restart_kafka(self) -> None:
        """Kill the broker and start it again."""
        self.kafka.kill()
        self.restarts += 1
        self._disturbed = time.monotonic()
        self.say("killed Kafka")
        self.kafka.start()

    def close(self) -> None:
        """End everything."""
        self.reader.close()
        self.flink.close()
        self.kafka.close()


def worked_on(run: Run, records: list[tuple[str, bytes]], wanted: int, seconds: float, each: float, seed: int) -> None:
    """Feed the log over so many seconds and disturb; then wait for all values and end the job with a savepoint."""
    dice, to = random.Random(seed), producer(run.kafka.address)
    begin = time.monotonic()
    plan: list[tuple[float, Callable[[], None]]] = [
        (seconds * 0.25, lambda: run.scale(4)),
        (seconds * 0.5, run.restart_kafka),
        (seconds * 0.75, lambda: run.scale(2)),
    ]
    sent, kill_at = 0, each
    while sent < len(records):
        now = time.monotonic() - begin
        due = min(len(records), int(len(records) * now / seconds) + 1)
        write(to, LOG, records[sent:due])
        sent = due
        run.read()
        if plan and now >= plan[0][0]:
            plan.pop(0)[1]()
        elif now >= kill_at:
            kill_at = now + each
            run.kill(dice)
    to.flush()
    run.say("the log is written")
    limit = time.monotonic() + 900
    while len(run.reader.found) < wanted and time.monotonic() < limit:
        run.read()
        run.flink.replace()
    run.stop()


TITLES = (
    "cities", "", "records", "values written", "lost", "doubled", "in another order", "differ from the embedded engine",
)  # fmt: skip


def differences(cases: list[made.Case], messages: list[Message]) -> int:
    """How many of the newest values are not those of the embedded engine."""
    count = 0
    for case in (case for case in cases if case.embedded):
        start = f"{case.name}/".encode()
        found = made.plain(made.newest([message for message in messages if message[0].startswith(start)]))
        count += sum(1 for key in case.embedded.keys() | found.keys() if case.embedded.get(key) != found.get(key))
    return count


def row(kind: str, cases: list[made.Case], found: list[Message]) -> tuple[str, bool]:
    """One line of the table, and whether all is equal."""
    names = {case.name.encode() for case in cases}
    messages = [message for message in found if message[0].split(b"/")[0] in names]
    d, other = difference(made.wanted(cases), messages), differences(cases, messages)
    embedded = sum(len(case.embedded) for case in cases)
    cells = [
        kind, len(cases), f"{sum(len(case.records) for case in cases):,}", f"{d.wanted:,}", d.lost, d.doubled, d.wrong,
        f"{other} of {embedded:,}" if embedded else "-",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |", d.is_equal and not other


def report(run: Run, cases: list[made.Case]) -> bool:
    """Print the tables; whether all is equal."""
    print(f"\n| {' | '.join(TITLES)} |\n|{'---|' * len(TITLES)}")
    good = True
    for kind in ("random", "recorded", "steady"):
        line, is_equal = row(kind, [case for case in cases if case.kind == kind], run.reader.found)
        print(line)
        good = good and is_equal
    times = sorted(run.recoveries)
    middle, longest = (times[len(times) // 2], times[-1]) if times else (0.0, 0.0)
    print(
        f"\nKilled TaskManagers: {run.kills}; ended by themselves and replaced: {run.flink.ended}. "
        f"Slots: {' -> '.join(map(str, run.scales))}. "
        f"Kills of Kafka: {run.restarts}. In {DISTRICTS} districts each: {', '.join(run.divided)}.\n"
        f"First committed values after a disturbance: median {middle:.0f} s, longest {longest:.0f} s.\n"
        f"{(time.monotonic() - run.began) / 60:.1f} minutes, at most {run.peak / MIB:,.0f} MiB for Kafka, "
        "Flink and its Python workers."
    )
    return good


def all_cases(folder: Path, cities: int, steady: int, minutes: float) -> list[made.Case]:
    """What the log is made of; the recorded cities where the folder `shared` is."""
    found = [made.random_city(folder / f"random-{seed}", seed) for seed in range(cities)]
    if DATA.exists():
        found += [made.recorded_city(folder / row[0], *row) for row in made.RECORDED]
    else:
        print("The recorded data is not beside this repository: without it.")
    return found + [made.steady_city(number, 50, max(2, round(minutes * 20))) for number in range(steady)]


def main() -> None:
    """Run the proof; exit status 1 where something differs, 77 where the engine is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--each", type=float, default=30, help="seconds between kills")
    parser.add_argument("--cities", type=int, default=100, help="random cities")
    parser.add_argument("--steady", type=int, default=4, help="cities with windows each minute")
    parser.add_argument("--interval", type=int, default=3000, help="ms between checkpoints")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not is_there():
        print(f"No engine in {ENGINE}: run tools/get-engine.")
        sys.exit(77)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(dir=memory) as made_in:
        cases = all_cases(Path(made_in), given.cities, given.steady, given.minutes)
    wanted = sum(len(case.written) for case in cases)
    print(
        f"{len(cases)} cities, {sum(len(c.records) for c in cases):,} records, {wanted:,} values to be written",
        flush=True,
    )
    divided = [f"{case.name}={DISTRICTS}" for case in cases if case.name in DIVIDED]
    with TemporaryDirectory(prefix="cityvitals-scale-") as folder:
        run = Run(Path(folder), given.interval, divided)
        try:
            records = made.interleaved(cases, random.Random(given.seed))
            worked_on(run, records, wanted, given.minutes * 60, given.each, given.seed)
            good = report(run, cases)
        finally:
            run.close()
    print("Equal." if good else "NOT EQUAL.")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
