"""One run: honest devices, one that is not, and then the question what is late, what is lost and what is doubled.

A reading counts once the edge broker has acknowledged it. When the attack ends, a last honest reading is sent: it comes
behind all others in the broker's queue, so once the gateway has it, what is missing there is lost. Once the gateway has
receipts for all windows of honest devices, what is missing in the store is lost. Until then it is late. Nothing is
decided by a time, unless nothing moves for two minutes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

from tests.chaos.table import revision
from tests.hostile.honest import Fleet
from tests.hostile.report import Report
from tests.hostile.world import World
from tests.processes import start

STILL_S = 120.0


def run(folder: Path, seed: int, minutes: float, attacks: Sequence[str] = ()) -> Report:
    """Attack for some minutes, wait until the honest readings are stored, and compare them one by one.

    `attacks`: only these.
    """
    world, report = World(folder), Report(seed, minutes, revision(), nice=os.nice(0))
    try:
        world.up()
        fleet = Fleet(world.link("fleet"))
        _storm(world, fleet, attacks, minutes * 60, report)
        _drain(world, fleet, report)
        judge(world, fleet, report)
    finally:
        world.down()
    return report


def _storm(world: World, fleet: Fleet, attacks: Sequence[str], seconds: float, report: Report) -> None:
    names = ("gateway", "ingest", "edge", "hub")
    before, began, own = {name: world.cpu_s(name) for name in names}, time.monotonic(), time.process_time()
    said = world.folder / "attacker.json"
    ports = [str(port) for port in (world.edge.port, *world.doors)]
    command = [sys.executable, "-m", "tests.hostile.attacker", *ports, str(report.seed), str(seconds)]
    attacker = start([*command, *attacks], log=said)
    behind, loads, look, attacked = list[float](), list[float](), began, 0.0
    process = psutil.Process(attacker.pid)
    while attacker.poll() is None:
        fleet.step(0.02)
        if time.monotonic() >= look:
            look = time.monotonic() + 1.0
            behind.append(fleet.behind_s(world.stored()))
            with suppress(psutil.Error):
                attacked = sum(process.cpu_times()[:2])
            loads.append(os.getloadavg()[0])
    took = time.monotonic() - began
    report.processor = {name: (world.cpu_s(name) - before[name]) / took for name in names}
    report.processor |= {"attacker": attacked / took, "fleet": (time.process_time() - own) / took}
    report.attacks, report.attacked_mb = json.loads(said.read_text().splitlines()[-1])
    report.store_p99_s, report.load = float(np.percentile(behind, 99)), float(np.mean(loads))


def _drain(world: World, fleet: Fleet, report: Report) -> None:
    """Until every honest reading has had its turn; see the module."""
    ended = time.monotonic()
    report.late = sum(n for n, _ in fleet.windows().values()) - world.stored()
    last = fleet.send()
    moving = _Moving(world, fleet)
    steps: list[tuple[str, Callable[[], bool]]] = [
        ("the broker acknowledges nothing", lambda: not fleet.unacknowledged),
        ("the gateway takes nothing", lambda: world.has(last.device, last.t)),
        ("the store takes nothing", lambda: not world.waiting()),
    ]
    for what, done in steps:
        while not done():
            if moving.still_s() > STILL_S:
                report.problems.append(f"{what} for {STILL_S:.0f} s")
                break
            fleet.step(0.1, writing=False)
    report.drained_s = time.monotonic() - ended
    report.sent, report.unacknowledged = len(fleet.sent), fleet.unacknowledged
    report.memory_mb = {name: world.peak_mb(name) for name in world.processes}
    fleet.link.close()


class _Moving:
    """Whether anything moves: messages acknowledged, taken, windows stored."""

    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet
        self._seen, self._since = (-1, -1, -1), time.monotonic()

    def still_s(self) -> float:
        """For how long nothing has moved."""
        now = (self._fleet.unacknowledged, self._world.received(), self._world.waiting())
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        return time.monotonic() - self._since


def judge(world: World, fleet: Fleet, report: Report) -> None:
    """Compare identities in the gateway's file, and windows in the store."""
    held, wanted = world.held(), fleet.windows()
    not_held = {tuple(r) for r in fleet.acknowledged} - held.keys()
    foreign = held.keys() - {tuple(r) for r in fleet.sent}
    report.problems += [f"not in the gateway: {r}" for r in sorted(not_held)[:10]]
    report.problems += [f"in the gateway and never sent: {r}" for r in sorted(foreign)[:10]]
    found = world.windows()
    acknowledged_only = not fleet.unacknowledged
    lacking = beyond = 0
    for place in wanted.keys() | found.keys():
        (n, total), (m, stored) = wanted.get(place, (0, 0.0)), found.get(place, (0, 0.0))
        lacking += max(n - m, 0)
        beyond += max(m - n, 0) if acknowledged_only else 0
        if n == m and abs(total - stored) > 1e-6:
            report.problems.append(f"window {place}: sum {stored} instead of {total}")
    report.lost, report.doubled = max(len(not_held), lacking), beyond + len(foreign)
    delays = np.array(world.delays(), dtype=np.float64)
    if len(delays):
        report.p99_ms, report.longest_ms = float(np.percentile(delays, 99)), float(delays.max())
