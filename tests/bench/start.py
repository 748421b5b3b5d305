"""How long the command line takes to start: processor time of `cityvitals --help`, the best of five."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any


def run() -> list[dict[str, Any]]:
    """One row; the aim is 0.25 s."""
    used = []
    for _ in range(5):
        before = _children()
        subprocess.run([sys.executable, "-m", "cityvitals", "--help"], check=True, capture_output=True)
        used.append(_children() - before)
    return [{"what": "cityvitals --help", "cpu_s": round(min(used), 3), "aim_s": 0.25}]


def _children() -> float:
    """Processor seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
