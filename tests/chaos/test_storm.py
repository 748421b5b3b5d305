"""Chaos in the suite: a run of a minute and a half, and beside it a short one in each of the other kinds of world.

`make chaos SEED=n MINUTES=m` runs longer; CITYVITALS_LONG=1 makes these runs five minutes each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.chaos.report import Report
from tests.processes import end, need, start

MINUTES = dict.fromkeys((3, 1, 2), 5.0) if os.environ.get("CITYVITALS_LONG") else {3: 1.5, 1: 0.5, 2: 0.5}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[int, subprocess.Popen[bytes]]]]:
    """All runs at once: most of their time is waiting."""
    need("mosquitto")
    need("influxd", "influxdb")
    folder = tmp_path_factory.mktemp("storms")
    command = [sys.executable, "-m", "tests.chaos", "--keep", str(folder), "--results", str(folder)]
    started = {
        seed: start([*command, "--seed", str(seed), "--minutes", str(minutes)], log=folder / f"{seed}.log")
        for seed, minutes in MINUTES.items()
    }
    yield folder, started
    for process in started.values():
        end(process, timeout=30)


@pytest.mark.parametrize("seed", [seed for _, seed in sorted((minutes, seed) for seed, minutes in MINUTES.items())])
def test_after_any_storm_the_store_holds_exactly_what_the_nodes_wrote(
    seed: int, runs: tuple[Path, dict[int, subprocess.Popen[bytes]]]
) -> None:
    folder, started = runs
    code = started[seed].wait(800)
    said = (folder / f"{seed}.log").read_text()
    assert code == 0, f"{said}\n{(folder / f'seed-{seed}' / 'faults.log').read_text()}"
    report = msgspec.json.decode((folder / f"seed-{seed}.json").read_bytes(), type=Report)
    assert not report.problems
    assert report.readings > 300
    assert sum(report.faults.values()) > 5
