"""The job on a real Flink and Kafka, disturbed for a short time; the long form is `make scale-test`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
from tests.scale.servers import ENGINE, is_there

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not is_there(), reason=f"no Flink and Kafka in {ENGINE}: tools/get-engine installs them")
def test_nothing_is_lost_or_doubled_on_flink_when_its_workers_are_killed() -> None:
    command = ["-m", "tests.scale.proof", "--minutes", "1", "--each", "20", "--cities", "3", "--steady", "1"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Slots: 1 -> 4 -> 2" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
