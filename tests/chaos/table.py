"""The table of chaos runs in docs/reliability.md, made of the reports that the runs left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from tests.chaos.report import Report
from tests.marked import put

HEAD = (
    "| seed | minutes | store | nodes | faults | starts of gateway/ingest | readings | recovered | healed in | result |"
)
BEGIN = "<!-- the table of chaos runs: python -m tests.chaos --results FOLDER --table docs/reliability.md -->"
END = "<!-- end of the table of chaos runs -->"


def revision() -> str:
    """The revision under test, with a `+` where the tree differs from it."""
    here = Path(__file__).parent
    said = [
        subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False).stdout.strip()
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    ]
    return (said[0] or "unknown") + ("+" if said[1] else "")


def keep(folder: Path, report: Report) -> None:
    """A run's report as a file, in the place of an older one of that seed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{report.seed}.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))


def row(report: Report) -> str:
    """One run."""
    starts = f"{report.starts['gateway']}/{report.starts['ingest']}"
    result = "; ".join(report.problems)[:200] or "0 lost, 0 doubled, KPIs equal"
    cells = (
        report.seed, f"{report.minutes:g}", report.store, report.nodes, sum(report.faults.values()), starts,
        report.readings, report.counters.get("recovered", 0), f"{report.healed_s:.0f} s", result,
    )  # fmt: skip
    return f"| {' | '.join(str(c) for c in cells)} |"


def summary(reports: list[Report]) -> str:
    """What the table is of, and all faults by kind."""
    kinds: dict[str, int] = {}
    for report in reports:
        for name, count in report.faults.items():
            kinds[name] = kinds.get(name, 0) + count
    faults = ", ".join(f"{name} {count}" for name, count in sorted(kinds.items()))
    revisions = ", ".join(sorted({r.revision for r in reports}))
    networks = "; ".join(sorted({r.network for r in reports}))
    return f"{len(reports)} runs of revision {revisions}; network faults by {networks}. Faults by kind: {faults}."


def write(path: Path, folder: Path) -> None:
    """Put all reports of a folder into the table, in the place of whatever stood there."""
    reports = [msgspec.json.decode(p.read_bytes(), type=Report) for p in folder.glob("seed-*.json")]
    reports.sort(key=lambda report: report.seed)
    rows = [HEAD, "|" + "---|" * HEAD.count(" | ") + "---|", *map(row, reports)]
    put(path, BEGIN, END, [summary(reports), "", *rows, ""])
