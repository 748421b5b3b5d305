"""Planted mistakes, which the chaos runs must find; the faults are those that bring them to light."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.faults import Planned
from tests.chaos.run import run
from tests.processes import need

pytestmark = pytest.mark.timeout(400)

# Windows wait while the central broker is out of reach, messages arrive all the time, and what was stored is resent.
PLAN = [
    Planned(1.5, "kill", "gateway", 0.2),
    Planned(4.0, "cut link", "gateway-hub", 3.5),
    Planned(7.0, "kill", "gateway", 0.2),  # on a loaded machine it takes seconds to start
    Planned(7.5, "repeat", "nodes", 0.1),
    Planned(8.0, "kill", "ingest", 0.2),
    Planned(8.5, "lose broker", "hub", 0.2),
]

# PUBACKs do not leave the gateway's line, and are lost with the connection.
CUTS = [
    fault
    for n in range(4)
    for fault in (
        Planned(1.5 + 2 * n, "mute line", "gateway line", 1.0),
        Planned(2.2 + 2 * n, "cut link", "gateway-edge", 0.3),
    )
]

MUTANTS = [("ack_before_commit", "lost", 4, PLAN), ("lose_dirty", "lost", 4, PLAN), ("count_twice", "doubled", 4, PLAN)]
MORE = [
    ("doors_forget", "lost: window pushed-1", 4, PLAN),
    ("a_little_later", "lost", 4, PLAN),
    ("one_a_millisecond", "lost: undated", 4, PLAN),
    ("accept_all_numbers", "lost: foreign", 4, PLAN),
    ("replay_drops", "lost: repaired", 4, PLAN),
    ("retention_is_trouble", "lost", 6, PLAN),
    ("count_duplicates", "ledger", 4, PLAN),
    ("fall_over", "gateway ended", 4, PLAN),
    ("publish_once", "published", 4, PLAN),
    ("another_site", "doubled", 6, PLAN),  # with InfluxDB, as the last one
    ("finished_windows", "lost", 4, [Planned(1.0, "reorder", "nodes", 4.0)]),
    ("receipt_before_store", "lost", 6, [Planned(3.0, "cut link", "ingest-store", 8.0)]),
]


@pytest.mark.parametrize(
    ("mutant", "wanted", "seed", "plan"), MUTANTS + (MORE if os.environ.get("CITYVITALS_LONG") else [])
)
def test_a_planted_mistake_is_found(mutant: str, wanted: str, seed: int, plan: list[Planned], tmp_path: Path) -> None:
    """In one of three runs: on a busy machine a fault can come at a moment at which the mistake does no harm."""
    need("mosquitto")
    reports = (run(tmp_path / f"run-{attempt}", seed, 0.15, mutant, plan=plan) for attempt in range(3))
    assert any(problem.startswith(wanted) for report in reports for problem in report.problems)


@pytest.mark.skipif(not os.environ.get("CITYVITALS_LONG"), reason="test_storm.py has the same and more faults")
def test_the_same_storm_without_the_mistake_is_survived(tmp_path: Path) -> None:
    need("mosquitto")
    report = run(tmp_path / "run", 4, 0.15, plan=PLAN)
    assert not report.problems, report
