"""The table of chaos runs in docs/reliability.md, written by the runs themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.run import Report

HEAD = (
    "| seed | minutes | store | nodes | faults | starts of gateway/ingest | readings | recovered | healed in | result |"
)
END = "<!-- end of the table of chaos runs -->"


def row(report: Report) -> str:
    """One run."""
    starts = f"{report.starts['gateway']}/{report.starts['ingest']}"
    result = "; ".join(report.problems)[:200] or "0 lost, 0 doubled, KPIs equal"
    cells = (
        report.seed, f"{report.minutes:g}", report.store, report.nodes, sum(report.faults.values()), starts,
        report.readings, report.counters.get("recovered", 0), f"{report.healed_s:.0f} s", result,
    )  # fmt: skip
    return f"| {' | '.join(str(c) for c in cells)} |"


def add(path: Path, report: Report) -> None:
    """Put a run's row into the table, in the place of an older one of the same seed and length."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start, end = lines.index(HEAD) + 2, lines.index(END)
    mine = f"| {report.seed} | {report.minutes:g} |"
    rows = [line for line in lines[start:end] if line and not line.startswith(mine)] + [row(report)]
    rows.sort(key=lambda line: int(line.split("|")[1]))
    path.write_text("\n".join([*lines[:start], *rows, "", *lines[end:]]) + "\n", encoding="utf-8")
