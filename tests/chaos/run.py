"""One chaos run: faults for some minutes, then calm until the store holds exactly what the nodes wrote."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from adapters.buffer import Buffer
from tests.chaos.check import differences
from tests.chaos.faults import FAULTS, Undo, schedule
from tests.chaos.world import World, world

CALM = 240.0  # seconds in which everything must have healed


@dataclass(slots=True)
class Report:
    """What a run did and found. `problems` is empty where the promise held."""

    seed: int
    minutes: float
    store: str
    nodes: str
    readings: int = 0
    records: int = 0
    healed_s: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items()))
        head = f"seed {self.seed}: {self.minutes:g} min, {self.store}, nodes {self.nodes}: {self.readings} readings"
        verdict = "; ".join(self.problems) or f"0 lost, 0 doubled, KPIs equal; healed after {self.healed_s:.0f} s"
        return f"{head}\n  faults: {faults}\n  starts: {self.starts}, gateway: {self.counters}\n  {verdict}"


def run(
    folder: Path, seed: int, minutes: float, mutant: str = "none", calm: float = CALM, only: Sequence[str] = ()
) -> Report:
    """Run. The seed decides the store, whether nodes keep what was acknowledged, and all faults (`only`: of these)."""
    rng = Random(seed)
    influx, keeping = seed % 3 == 0, seed % 2 == 1 and mutant == "none"
    kind = ("InfluxDB" if influx else "SQLite", "keep records" if keeping else "forget when acknowledged")
    report = Report(seed, minutes, *kind)
    with world(folder, influx, keeping, rng, mutant) as w:
        _storm(w, rng, minutes * 60, report, only)
        _calm(w, report, calm)
        report.starts = dict(w.starts)
    return report


def _storm(w: World, rng: Random, seconds: float, report: Report, only: Sequence[str]) -> None:
    """Do and undo the faults of the schedule."""
    began, order = time.monotonic(), count()
    due: list[tuple[float, int, Undo | None, str, str, float]] = [
        (p.at, next(order), None, p.name, p.target, p.length) for p in schedule(w, rng, seconds, only)
    ]
    heapq.heapify(due)
    done: Counter[str] = Counter()
    with (w.folder / "faults.log").open("w") as told:
        while due or time.monotonic() - began < seconds:
            w.fleet.step()
            while due and due[0][0] <= time.monotonic() - began:
                at, _, undo, name, target, length = heapq.heappop(due)
                print(
                    f"{time.time():.3f} {'end' if undo else 'do '} {name} {target} {length:.1f}", file=told, flush=True
                )
                if undo is not None:
                    undo()
                    continue
                done[name] += 1
                heapq.heappush(due, (at + length, next(order), FAULTS[name](w, target), name, target, length))
    report.faults = dict(done)


def _calm(w: World, report: Report, patience: float) -> None:
    """Until everything has healed: nodes first write a little more, so that a loss at the end can be seen."""
    began = time.monotonic()
    before = w.fleet.acknowledged
    while any(b < a + 3 for a, b in zip(before, w.fleet.acknowledged, strict=True)):
        w.fleet.step()
        if time.monotonic() - began > patience:
            report.problems.append("nodes get no acknowledgement")
            break
    w.fleet.writing = False
    look, sent = 0.0, w.fleet.sent()
    store = w.store()
    problems = ["nothing was looked at"]
    while time.monotonic() - began < patience:
        w.fleet.step()
        if time.monotonic() < look:
            continue
        problems = w.crashed() or (
            ["messages unacknowledged"] if w.fleet.waiting else differences(store, "chaos", sent)
        )
        if not problems:
            break
        look = time.monotonic() + 2.0
    if problems and w.fleet.waiting:
        problems += differences(store, "chaos", sent)
    report.problems += problems
    report.healed_s = time.monotonic() - began
    report.readings, report.records = len(set(sent)), sum(len(n.written) for n in w.fleet.nodes)
    report.counters = _counters(w)
    store.close()


def _counters(w: World) -> dict[str, int]:
    buffer = Buffer((w.disk or w.folder) / "gateway.db", None)
    found = {name.removeprefix("gw_"): n for name, n in buffer.counters().items()}
    for totals in buffer.ledger.totals():
        for name in ("recovered", "missing"):
            found[name] = found.get(name, 0) + getattr(totals, name)
    buffer.close()
    return found
