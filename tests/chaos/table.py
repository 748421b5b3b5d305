"""The table of chaos runs in docs/reliability.md, made of the reports that the runs left."""

from __future__ import annotations

import subprocess
from pathlib import Path
from textwrap import shorten

import msgspec

from tests.chaos.report import Report
from tests.marked import put

HEAD = (
    "| seed | runs | minutes | store | nodes | load | faults | starts of gateway/ingest | readings | recovered"
    " | healed in | result |"
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
    """A run's report as a file of its own, also where the same seed has run before."""
    folder.mkdir(parents=True, exist_ok=True)
    before = len(list(folder.glob(f"seed-{report.seed}*.json")))
    name = f"seed-{report.seed}{f'-{before + 1}' if before else ''}.json"
    (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(report)))


def row(reports: list[Report]) -> str:
    """The runs of one seed: sums, and the longest time to heal."""
    first = reports[0]
    starts = "/".join(str(sum(r.starts[name] for r in reports)) for name in ("gateway", "ingest"))
    failed = [r for r in reports if r.problems]
    result = (
        shorten("; ".join(failed[0].problems), 200, placeholder=" …") if failed else "0 lost, 0 doubled, KPIs equal"
    )
    cells = (
        first.seed, len(reports), f"{sum(r.minutes for r in reports):g}", first.store, first.nodes,
        f"{max(r.load for r in reports):.0f}", sum(sum(r.faults.values()) for r in reports), starts,
        sum(r.readings for r in reports), sum(r.counters.get("recovered", 0) for r in reports),
        f"{max(r.healed_s for r in reports):.0f} s", f"{len(failed)} failed: {result}" if failed else result,
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
    failed = sum(bool(r.problems) for r in reports)
    minutes = sum(r.minutes for r in reports)
    return (
        f"{len(reports)} runs, {failed} failed, {minutes:g} minutes of faults in all; revision {revisions}; network"
        f" faults by {networks}. Load: of the two cores at the end of the faults, the largest of the seed."
        f" Faults by kind: {faults}."
    )


def write(path: Path, folder: Path) -> None:
    """Put all reports of a folder into the table, in the place of whatever stood there."""
    reports = [msgspec.json.decode(p.read_bytes(), type=Report) for p in folder.rglob("seed-*.json")]
    seeds = sorted({report.seed for report in reports})
    of_seed = [[r for r in reports if r.seed == seed] for seed in seeds]
    rows = [HEAD, "|" + "---|" * (HEAD.count("|") - 1), *map(row, of_seed)]
    put(path, BEGIN, END, [summary(reports), "", *rows, ""])
