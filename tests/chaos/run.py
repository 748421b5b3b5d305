"""One chaos run: faults for some minutes, then calm until the store holds exactly what the nodes wrote."""

from __future__ import annotations

import heapq
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random

from adapters.sqlite.buffer import Buffer
from telemetry.windows import HOUR
from tests.chaos import undisturbed
from tests.chaos.checking import stored
from tests.chaos.checking.batch import Reading
from tests.chaos.checking.check import as_of_either, differences, published, same_kpis
from tests.chaos.checking.published import Published
from tests.chaos.direct import OLD
from tests.chaos.faults import FAULTS, Planned, Undo, schedule
from tests.chaos.report import Report
from tests.chaos.table import revision
from tests.chaos.world import CITIES, World, world

CALM = 240.0  # seconds in which everything must have healed
_LINKS = {"gateway": 2, "ingest": 1}


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
    with (w.folder / "faults.log").open("w") as log:
        while due or time.monotonic() - began < seconds:
            w.fleet.step()
            while due and due[0][0] <= time.monotonic() - began:
                at, _, undo, name, target, length = heapq.heappop(due)
                print(
                    f"{time.time():.3f} {'end' if undo else 'do '} {name} {target} {length:.1f}", file=log, flush=True
                )
                if undo is not None:
                    undo()
                    continue
                done[name] += 1
                heapq.heappush(due, (at + length, next(order), FAULTS[name](w, target), name, target, length))
    report.faults, report.load = dict(done), round(os.getloadavg()[0], 1)


def _calm(w: World, report: Report, timeout: float) -> None:
    """Until everything has healed. Nodes first write until the gateway has a record of each that was written now.

    A record that the broker dropped is noticed only when a later one arrives; the PUBACK of a broker proves nothing.
    """
    began = time.monotonic()
    before = {node.device.id: len(node.written) for node in w.fleet.nodes}
    while not _arrived_since(w, before):
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            w.fleet.step()
        if time.monotonic() - began > timeout:
            report.problems.append("the gateway receives nothing new")
            break
    w.fleet.writing = False
    sent = w.fleet.sent()
    problems = _healed(w, sent, began + timeout)
    report.healed_s = time.monotonic() - began
    report.problems += problems or _again(w, sent, timeout, report)
    report.readings, report.records = len(set(sent)), sum(len(n.written) for n in w.fleet.nodes)
    report.counters, report.doors = _counters(w), {client.name: client.answered for client in w.fleet.clients}
    report.problems += [f"{name}: nothing was ever acknowledged" for name, n in report.doors.items() if not n]
    report.holes = _holes(w, time.time_ns() // 1_000_000) if report.problems else []


def _arrived_since(w: World, before: Mapping[str, int]) -> bool:
    """Whether the ledger has a record of every node after these many."""
    with suppress(sqlite3.Error):
        found = stored.ledger(w)
        return all(found.get(device, (0,))[0] > count for device, count in before.items())
    return False


def _healed(w: World, sent: list[Reading], until: float) -> list[str]:
    """Wait until nothing differs any more; what still does then."""
    look, problems, before_last, still = 0.0, ["nothing was looked at"], list[str](), 0
    while time.monotonic() < until:
        w.fleet.step()
        if time.monotonic() < look:
            continue
        if problems := w.crashed():
            break
        problems = ["messages unacknowledged"] if w.fleet.waiting else differences(w, sent)
        still = still + 1 if w.mutant != "none" and not w.backlog() and problems == before_last else 0
        if not problems or still == 3:
            break
        before_last = problems
        look = time.monotonic() + 1.0
    return problems + (differences(w, sent) if problems and w.fleet.waiting else [])


def _again(w: World, sent: list[Reading], timeout: float, report: Report) -> list[str]:
    """End and start gateway and ingest, which makes them requeue what is unconfirmed: all must stay right.

    In between the rejects are replayed.

    Then compare all KPIs with those of an undisturbed run, and those that the central broker retains with the stored.
    """
    hours = [_undisturbed(w, now := time.time_ns() // 1_000_000)]
    at_start = {city: undisturbed.kpis(w.folder / "at start", w.fleet, w.fleet.began, city) for city in CITIES}
    said = {name: len(w.log(name)) for name in w.starts}
    for name in w.starts:
        w.end(name)
    report.repaired = w.repair()
    for name in w.starts:
        w.run(name)
    reader, good, began = Published(w.hub.port), 0, time.monotonic()
    problems = ["gateway and ingest do not come back"]
    look = 0.0
    while good < 3 and time.monotonic() - began < min(timeout, 90.0):
        w.fleet.step()
        reader.step()
        if time.monotonic() < look:
            continue
        look = time.monotonic() + 0.5
        if wrong := w.crashed() or differences(w, sent, repaired=True):
            return ["right, and then not any more", *wrong]
        if any(w.log(name)[said[name] :].count("connected to") < links for name, links in _LINKS.items()):
            continue
        if (later := time.time_ns() // 1_000_000) // HOUR != now // HOUR:
            hours.append(_undisturbed(w, now := later))
        rows = {city: stored.kpis(w, city) for city in CITIES}
        problems = published(reader.found, rows["chaos"]) + (["windows wait"] if w.backlog() else [])
        wanted = {city: as_of_either(rows[city], [values[city] for values in hours]) for city in CITIES}
        differing = (same_kpis(rows[city], wanted[city], at_start[city]) for city in CITIES)
        problems += [sentence for sentences in differing for sentence in sentences] + _retention(w)
        good = 0 if problems else good + 1
    reader.close()
    return problems[:20]


def _undisturbed(w: World, now: int) -> Mapping[str, Mapping[tuple[str, str, str], float | None]]:
    return {city: undisturbed.kpis(w.folder / f"undisturbed {now}", w.fleet, now, city) for city in CITIES}


def _retention(w: World) -> list[str]:
    """What is older than the retention of the InfluxDB is kept by ingest, and nothing else is."""
    old = [d for d in w.fleet.direct if d.device == OLD and d.acknowledged]
    wanted = bool(w.influx and old)
    return [] if bool(stored.set_aside(w)) == wanted else [f"retention: {stored.set_aside(w)} rows are set aside"]


def _holes(w: World, now: int) -> list[str]:
    """Of each boot with missing records: which have come, how often and when they were asked for, what its node has."""
    buffer = Buffer(w.buffer, None)
    asked = {(a.device, a.boot): a for a in buffer.ledger.asked()}
    journals = {node.device.id: node.journal for node in w.fleet.nodes}
    found = []
    for e in buffer.ledger.with_gaps():
        request = asked.get((e.device, e.boot))
        when = f"asked {request.times} times, next in {(request.due - now) / 1000:.0f} s" if request else "never asked"
        kept = len(journals[e.device].find(e.boot, 0, 1 << 60)) if e.device in journals else 0
        found.append(
            f"{e.device} boot {e.boot}: {e.missing} of {e.sent} missing, {when}, node keeps {kept}: {e.seen[:300]}"
        )
    buffer.close()
    return found


def _counters(w: World) -> dict[str, int]:
    buffer = Buffer(w.buffer, None)
    found = {name.removeprefix("gw_"): n for name, n in buffer.counters().items()}
    for totals in buffer.ledger.totals():
        for name in ("recovered", "missing"):
            found[name] = found.get(name, 0) + getattr(totals, name)
    buffer.close()
    return found
