"""Chaos in the suite: a short run in every kind of world, and planted mistakes that it must find.

`make chaos SEED=n MINUTES=m` runs longer; CITYVITALS_LONG=1 makes these runs five minutes each.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos import batch
from tests.chaos.run import Report, run
from tests.chaos.table import END, HEAD, add, row
from tests.servers import need

MINUTES = 5.0 if os.environ.get("CITYVITALS_LONG") else 0.5

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_storm_the_store_holds_exactly_what_the_nodes_wrote(seed: int, tmp_path: Path) -> None:
    need("mosquitto")
    need("influxd", "influxdb")
    report = run(tmp_path / "run", seed, MINUTES)
    assert not report.problems, f"{report}\n{(tmp_path / 'run' / 'faults.log').read_text()}"
    assert report.readings > 300


@pytest.mark.parametrize(
    ("mutant", "faults"),
    [("ack_before_commit", ["kill"]), ("lose_dirty", ["kill"]), ("count_twice", ["repeat", "kill"])],
)
def test_a_planted_mistake_is_found(mutant: str, faults: list[str], tmp_path: Path) -> None:
    need("mosquitto")
    report = run(tmp_path / "run", 4, 0.35, mutant, calm=12.0, only=faults)
    wanted = "doubled" if mutant == "count_twice" else "lost"
    assert any(problem.startswith(wanted) for problem in report.problems), report


def test_the_same_storm_without_the_mistake_is_survived(tmp_path: Path) -> None:
    need("mosquitto")
    report = run(tmp_path / "run", 4, 0.35, only=["kill", "repeat"])
    assert not report.problems, report


def test_the_batch_computation_is_right_for_a_case_done_by_hand() -> None:
    noon = 1_709_290_800_000  # 2024-03-01T11:00:00Z, noon in Oslo
    entries = [
        [{"bt": noon / 1000, "n": "energy_total", "v": 100.0}],
        [{"bt": noon / 1000 + 86_400, "n": "energy_total", "v": 103.0}],
        [{"bt": noon / 1000, "end": noon / 1000 + 5400, "key": "k", "n": "session_energy", "v": 7.5}],
    ]
    sent = [r for record in entries * 2 for r in batch.readings("d", record)]
    assert batch.kpis(sent) == {
        ("LOCAL:E:METERED", "", "2024-03-01"): 0.0, ("LOCAL:E:METERED", "", "2024-03-02"): 3.0,
        ("LOCAL:E:METERED", "", "2024-03"): 3.0, ("LOCAL:E:METERED", "", "2024"): 3.0,
        **{("LOCAL:EV:ENERGY", "", p): 7.5 for p in ("2024-03-01", "2024-03", "2024")},
        **{("LOCAL:EV:SESSIONS", "", p): 1.0 for p in ("2024-03-01", "2024-03", "2024")},
    }  # fmt: skip
    assert batch.windows(sent)[("d", "connected_time"), noon].sum == 3600.0
    assert batch.windows(sent)[("d", "connected_time"), noon + 3_600_000].sum == 1800.0


def test_a_run_takes_the_place_of_an_older_one_of_its_seed_in_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"text\n\n{HEAD}\n|---|\n\n{END}\nmore\n")
    starts = {"gateway": 1, "ingest": 1}
    for seed, readings in ((7, 1), (3, 2), (7, 5)):
        add(page, Report(seed, 5.0, "SQLite", "keep records", readings=readings, starts=starts))
    text = page.read_text()
    assert text.count("| 7 | 5 |") == 1
    assert text.index("| 3 | 5 |") < text.index("| 7 | 5 |") < text.index(END) < text.index("more")
    assert row(Report(7, 5.0, "SQLite", "keep records", readings=5, starts=starts)) in text
