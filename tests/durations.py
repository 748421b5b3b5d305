"""Where the time of a run goes, printed at its end: the files that took longest, and when each worker was done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LONGEST = 15
LEAST_S = 60.0  # of a shorter run nothing is printed


def by_file(reports: Iterable[Any]) -> list[tuple[float, str]]:
    """Seconds of the tests of each file with their fixtures, the longest first."""
    found: dict[str, float] = {}
    for report in reports:
        name = report.nodeid.split("::")[0]
        found[name] = found.get(name, 0.0) + report.duration
    return sorted(((seconds, name) for name, seconds in found.items()), reverse=True)


def by_worker(reports: Iterable[Any]) -> dict[str, float]:
    """Of each worker of pytest-xdist, how many seconds before the last test of all its own last one ended."""
    ends: dict[str, float] = {}
    for report in reports:
        node = getattr(report, "node", None)
        if node is not None:
            ends[node.gateway.id] = max(ends.get(node.gateway.id, 0.0), report.stop)
    last = max(ends.values(), default=0.0)
    return {worker: last - end for worker, end in sorted(ends.items())}


def lines(reports: list[Any]) -> list[str]:
    """What is printed."""
    files = by_file(reports)
    total = sum(seconds for seconds, _ in files)
    if total < LEAST_S:
        return []
    shown = [f"{seconds:7.1f} s  {name}" for seconds, name in files[:LONGEST]]
    idle = ", ".join(f"{worker} {seconds:.0f} s" for worker, seconds in by_worker(reports).items())
    return [f"{total:.0f} s of tests in {len(files)} files; the longest:", *shown] + (
        [f"done before the last test: {idle}"] if idle else []
    )
