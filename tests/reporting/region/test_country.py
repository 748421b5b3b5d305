"""A whole country: 356 municipalities, 112 figures, ten years. Prints times and memory; long, see CONTRIBUTING."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reporting.region.country import cities, write

LONG = pytest.mark.skipif(not os.environ.get("CITYVITALS_LONG"), reason="a long test")


def timed(name: str, *words: str | Path) -> str:
    """Run a command in a process of its own; prints wall and CPU seconds and the peak memory."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    program = (
        "import resource, sys; from cityvitals.__main__ import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(f'peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {time.perf_counter() - began:.1f} s wall, {cpu:.1f} s CPU, {done.stderr.rsplit('peak ', 1)[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@LONG
@pytest.mark.timeout(900)
def test_a_country_of_356_municipalities_is_imported_and_compared(tmp_path: Path) -> None:
    figures, places, targets = write(tmp_path, cities(), range(2016, 2026))
    store = f"sqlite:///{tmp_path}/country.db"
    text = timed(
        "import of 398,720 figures",
        "region",
        "import",
        figures,
        "--cities",
        places,
        "--targets",
        targets,
        "--store",
        store,
    )
    assert text.startswith("398,720 figures of 356 cities for 2016 to 2025 stored")
    for name, words in {
        "region profile": ("region", "show", "--period", "2025"),
        "one group": ("region", "show", "--period", "2025", "--group", "kostra-2020/7"),
        "heat map": ("region", "heat-map", "--period", "2025"),
        "peers": ("region", "peers", "m001"),
        "twins": ("region", "twins", "m001", "m200", "--period", "2025"),
        "index of 1,000 weightings": ("index", "rank", "--period", "2025"),
    }.items():
        assert timed(name, *words, "--store", store)
