"""The independent computation, and the table of runs."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.checking import batch
from tests.chaos.report import Report
from tests.chaos.table import BEGIN, END, keep, revision, row, write


def test_the_batch_computation_is_right_for_a_case_done_by_hand() -> None:
    noon = 1_709_290_800_000  # 2024-03-01T11:00:00Z, noon in Oslo
    entries = [
        [{"bt": noon / 1000, "n": "energy_total", "v": 100.0}],
        [{"bt": noon / 1000 + 86_400, "n": "energy_total", "v": 103.0}],
        [{"bt": noon / 1000, "end": noon / 1000 + 5400, "key": "k", "n": "session_energy", "v": 7.5}],
    ]
    sent = [r for record in entries * 2 for r in batch.readings("d", record)]
    assert batch.kpis(sent) == {
        ("LOCAL:E:METERED", "", "2024-03-01"): 1.5, ("LOCAL:E:METERED", "", "2024-03-02"): 1.5,
        ("LOCAL:E:METERED", "", "2024-03"): 3.0, ("LOCAL:E:METERED", "", "2024"): 3.0,
        **{("LOCAL:EV:ENERGY", "", p): 7.5 for p in ("2024-03-01", "2024-03", "2024")},
        **{("LOCAL:EV:SESSIONS", "", p): 1.0 for p in ("2024-03-01", "2024-03", "2024")},
    }  # fmt: skip
    assert batch.windows(sent)[("d", "connected_time"), noon].sum == 3600.0
    assert batch.windows(sent)[("d", "connected_time"), noon + 3_600_000].sum == 1800.0


def test_a_register_that_starts_at_zero_counts_from_there() -> None:
    t = 1_709_290_800_000
    values = [100.0, 103.0, 102.9, 0.5, 2.5]  # a fall of less than a tenth is rounding
    sent = [batch.Reading("d", "energy_total", t + n, "", v) for n, v in enumerate(values)]
    assert batch.kpis(sent)["LOCAL:E:METERED", "", "2024-03-01"] == 3.0 + 0.5 + 2.0
    assert batch.windows(sent, batch.HOUR) == {(("d", "energy_total"), t): (5, sum(values), 0.5, 103.0, 100.0, 2.5)}


def test_the_table_is_written_from_the_reports(tmp_path: Path) -> None:
    page, folder = tmp_path / "page.md", tmp_path / "results"
    page.write_text(f"text\n\n{BEGIN}\nsome older table\n| 99 | 5 |\n{END}\nmore\n")
    starts = {"gateway": 1, "ingest": 1}
    for seed, readings in ((7, 1), (3, 2), (7, 5)):
        made = Report(seed, 5.0, "SQLite", "keep records", "abc1234", "TCP proxies only", readings, starts=starts)
        made.faults = {"kill": 2, "full disk": 1}
        keep(folder, made)
    for _ in range(2):
        write(page, folder)
    text = page.read_text()
    assert "99" not in text
    assert text.count("| 7 | 2 | 10 |") == 1
    assert text.index("| 3 | 1 | 5 |") < text.index("| 7 | 2 | 10 |") < text.index(END) < text.index("more")
    assert row([made]).startswith("| 7 | 1 | 5 | SQLite | keep records | 0 | 3 | 1/1 | 5 |")
    assert "3 runs, 0 failed, 15 minutes of faults in all; revision abc1234;" in text
    assert "Faults by kind: full disk 3, kill 6." in text
    made.problems = ["lost: one"]
    assert row([made, made]).endswith("| 2 failed: lost: one |")


def test_the_revision_under_test_is_named() -> None:
    assert revision()
