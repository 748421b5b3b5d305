"""One chaos run: faults for some minutes, then calm until the store holds exactly what the nodes wrote."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from random import Random

from adapters.buffer import Buffer
from tests.chaos.check import differences
from tests.chaos.faults import FAULTS, Planned, Undo, schedule
from tests.chaos.report import Report
from tests.chaos.table import revision
from tests.chaos.world import World, world

CALM = 240.0  # seconds in which everything must have healed


def run(
    folder: Path, seed: int, minutes: float, mutant: str = "none", calm: float = CALM, only: Sequence[str] = (),
    plan: Sequence[Planned] = (),
) -> Report:  # fmt: skip
    """Run. The seed decides the store, whether nodes keep what was acknowledged, and all faults (`only`: of these).

    `plan`: these faults and no others. With a `mutant` the end comes as soon as everything stands still.
    """
    rng = Random(seed)
    influx, keeping = seed % 3 == 0, seed % 2 == 1 and mutant == "none"
    kind = ("InfluxDB" if influx else "SQLite", "keep records" if keeping else "forget when acknowledged")
    report = Report(seed, minutes, *kind, revision())
    with world(folder, influx, keeping, rng, mutant) as w:
        report.network = f"TCP proxies only ({w.network})" if w.network else "TCP proxies and network namespaces"
        _storm(w, plan or schedule(w, rng, minutes * 60, only), minutes * 60, report)
        _calm(w, report, calm)
        report.starts = dict(w.starts)
    return report


def _storm(w: World, plan: Iterable[Planned], seconds: float, report: Report) -> None:
    """Do and undo the faults of the schedule."""
    began, order = time.monotonic(), count()
    due: list[tuple[float, int, Undo | None, str, str, float]] = [
        (p.at, next(order), None, p.name, p.target, p.length) for p in plan
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
    problems, before_last, still = ["nothing was looked at"], list[str](), 0
    while time.monotonic() - began < patience:
        w.fleet.step()
        if time.monotonic() < look:
            continue
        if problems := w.crashed():
            break
        problems = ["messages unacknowledged"] if w.fleet.waiting else differences(store, "chaos", sent)
        still = still + 1 if w.mutant != "none" and not w.backlog() and problems == before_last else 0
        if not problems or still == 3:
            break
        before_last = problems
        look = time.monotonic() + 1.0
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
