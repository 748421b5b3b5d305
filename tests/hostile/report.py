"""What a hostile run shows, and the table of the runs in docs/reliability.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.marked import put

BEGIN = "<!-- the table of hostile runs: python -m tests.hostile --results FOLDER --table docs/reliability.md -->"
END = "<!-- end of the table of hostile runs -->"
HEAD = (
    "| seed | minutes | load of the machine | MB sent | attacks | honest readings | late at the end | drained in | lost"
    " | doubled | p99 | longest | p99 to the store | memory gateway, ingest | processor gateway, ingest,"
    " brokers, harness |"
)


@dataclass(slots=True)
class Report:
    """`late`: acknowledged by the broker and not in the store when the attack ended; `drained_s`: until they were.

    `lost`: still not there once all that was sent before and after them is. p99 and longest: from the time of a
    reading to its arrival at the gateway, ms; `store_p99_s`: how far the store was behind, asked every second.
    """

    seed: int
    minutes: float
    revision: str = ""
    load: float = 0.0
    nice: int = 0
    attacks: dict[str, int] = field(default_factory=dict)
    attacked_mb: float = 0.0
    sent: int = 0
    unacknowledged: int = 0
    late: int = 0
    drained_s: float = 0.0
    lost: int = 0
    doubled: int = 0
    p99_ms: float = 0.0
    longest_ms: float = 0.0
    store_p99_s: float = 0.0
    memory_mb: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)  # share of a core
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        memory = ", ".join(f"{name} {mb:.0f} MB" for name, mb in self.memory_mb.items())
        cpu = ", ".join(f"{name} {100 * share:.0f} %" for name, share in self.processor.items())
        lines = [
            f"seed {self.seed}, {self.minutes:g} min, revision {self.revision}, load {self.load:.1f}",
            f"{self.sent} honest readings ({self.unacknowledged} not acknowledged by the broker): {self.lost} lost,"
            f" {self.doubled} doubled; {self.late} late when the attack ended, all there after {self.drained_s:.1f} s",
            f"to the gateway p99 {self.p99_ms:.0f} ms, longest {self.longest_ms:.0f} ms; store behind p99"
            f" {self.store_p99_s:.1f} s",
            f"peak memory {memory}; processor {cpu}",
            f"{self.attacked_mb:.0f} MB of {self.attacks}",
            *self.problems,
        ]
        return "\n  ".join(lines)

    @property
    def failed(self) -> bool:
        """Whether the promise is broken."""
        return bool(self.lost or self.doubled or self.problems)


def keep(folder: Path, report: Report) -> None:
    """A run's report as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"hostile-{report.seed}.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))


def _shares(cpu: dict[str, float]) -> tuple[float, ...]:
    """Of gateway, ingest, both brokers, attacker and honest devices; reports of earlier revisions lack some."""
    brokers, harness = (cpu.get(a, 0.0) + cpu.get(b, 0.0) for a, b in (("edge", "hub"), ("attacker", "fleet")))
    return cpu["gateway"], cpu["ingest"], brokers, harness


def row(r: Report) -> str:
    """One run."""
    memory, cpu = r.memory_mb, r.processor
    load = f"{r.load:.0f}" + (f", nice {r.nice}" if r.nice else "")
    cells = (
        r.seed, f"{r.minutes:g}", load, f"{r.attacked_mb:.0f}", sum(r.attacks.values()), r.sent, r.late,
        f"{r.drained_s:.1f} s", r.lost, r.doubled, f"{r.p99_ms / 1000:.2f} s", f"{r.longest_ms / 1000:.1f} s",
        f"{r.store_p99_s:.1f} s", f"{memory['gateway']:.0f}, {memory['ingest']:.0f} MB",
        ", ".join(f"{100 * share:.0f}" for share in _shares(cpu)) + " %",
    )  # fmt: skip
    return f"| {' | '.join(str(c) for c in cells)} |"


def write(path: Path, folder: Path) -> None:
    """The table of all reports of a folder."""
    reports = [msgspec.json.decode(p.read_bytes(), type=Report) for p in folder.glob("hostile-*.json")]
    reports.sort(key=lambda r: r.seed)
    failed = sum(r.failed for r in reports)
    summary = (
        f"{len(reports)} runs, {failed} failed, {sum(r.minutes for r in reports):g} minutes in all, of revision"
        f" {', '.join(sorted({r.revision for r in reports}))}; two cores that other work shared (load as given)."
    )
    put(path, BEGIN, END, [summary, "", HEAD, "|" + "---|" * (HEAD.count("|") - 1), *map(row, reports), ""])
