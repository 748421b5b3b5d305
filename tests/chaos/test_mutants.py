"""Planted mistakes, which the chaos runs must find; the faults are those that bring them to light."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.faults import Planned
from tests.chaos.run import run
from tests.processes import need

pytestmark = pytest.mark.timeout(400)

# Windows wait while the hub is out of reach, messages come all the time, and what was stored is sent again.
PLAN = [
    Planned(1.5, "kill", "gateway", 0.2),
    Planned(4.0, "cut link", "gateway-hub", 2.5),
    Planned(5.5, "kill", "gateway", 0.2),
    Planned(7.5, "repeat", "nodes", 0.1),
    Planned(8.0, "kill", "ingest", 0.2),
]


@pytest.mark.parametrize(
    ("mutant", "wanted"), [("ack_before_commit", "lost"), ("lose_dirty", "lost"), ("count_twice", "doubled")]
)
def test_a_planted_mistake_is_found(mutant: str, wanted: str, tmp_path: Path) -> None:
    need("mosquitto")
    report = run(tmp_path / "run", 4, 0.15, mutant, plan=PLAN)
    assert any(problem.startswith(wanted) for problem in report.problems), report


def test_the_same_storm_without_the_mistake_is_survived(tmp_path: Path) -> None:
    need("mosquitto")
    report = run(tmp_path / "run", 4, 0.15, plan=PLAN)
    assert not report.problems, report
