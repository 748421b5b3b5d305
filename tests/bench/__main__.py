"""`make bench`: all benchmarks, as a table on the screen and as build/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import decoding, engine, folding, latency, planning, promise, start, throughput

REPO = Path(__file__).parents[2]
DATA = REPO.parent / "shared" / "data"


def main() -> None:
    """Run everything; `--quick` with fewer messages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer messages and samples")
    quick = parser.parse_args().quick
    found: dict[str, Any] = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}}
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(dir=_build()) as name:
        folder = Path(name)
        found["start"] = start.run()
        messages = 30_000 if quick else 100_000
        found["replay"] = [r for r in [folding.replay(folder, DATA)] if r]
        found["engine"] = [folding.engine(), *engine.run(quick)]
        found["planning"] = planning.run_all(quick)
        found["promise"] = promise.run(folder / "promise", 10_000 if quick else 40_000)
        found["gateway"] = throughput.run(folder / "throughput", messages)
        found["gateway"].append(throughput.memory_with_series(folder / "memory"))
        found["decoding"] = decoding.run(quick)
        found["latency"], memory = latency.run(_made(folder / "latency"), 20 if quick else 100)
        found["memory"] = [{"what": name, "resident_mb": mb} for name, mb in memory.items()]
    for title in ("start", "replay", "engine", "planning", "promise", "gateway", "decoding", "latency", "memory"):
        console.print(_table(title, found[title]))
    console.print(_floors(found, quick))
    (_build() / "bench.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    console.print("written to build/bench.json")


def _build() -> Path:
    return _made(REPO / "build")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in names))
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if value < 10 else f"{value:,.0f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _floors(found: dict[str, Any], quick: bool) -> Table:
    """The floors we have set ourselves, and whether this run stands on them."""
    speed = {row["what"].split(",")[0]: row for row in found["engine"]}
    gateway = {row["what"]: row for row in found["gateway"]}
    nothing, ours = (gateway[n] for n in ("subscriber that does nothing", "gateway, acknowledged after commit"))
    table = Table(title="floors", title_justify="left", box=None, pad_edge=False)
    for name in ("what", "floor", "this run", ""):
        table.add_column(name)

    def floor(what: str, wanted: str, value: float, holds: Callable[[float], bool]) -> None:
        table.add_row(what, wanted, f"{value:,.3g}", "holds" if holds(value) else "MISSED")

    for row in found["replay"]:
        floor("replay of 829k readings", "under 20 s", row["seconds"], lambda v: v < 20)
    if not quick:
        folds = speed["fold of minute windows to hours"]["per_second"]
        floor("partials folded from memory", "at least 5 million/s", folds / 1e6, lambda v: v >= 5)
        floor("a year of 1,000 stations", "under 10 s", found["engine"][2]["seconds"], lambda v: v < 10)
        for of in ("station", "meter"):
            late = 1000 * speed[f"a late reading of a {of}"]["seconds"]
            floor(f"a late reading of a {of}", "under 50 ms", late, lambda v: v < 50)
    floor("gateway / do-nothing rate", "at least 0.5", ours["per_second"] / nothing["per_second"], lambda v: v >= 0.5)
    slowest = max(found["decoding"], key=lambda row: float(row["beside senml"]))
    floor(f"CPU of a template beside SenML ({slowest['what']})", "at most 2", slowest["beside senml"], lambda v: v <= 2)
    floor("p99 publish to KPI", "under 2.5 s", found["latency"][0]["p99_s"], lambda v: v < 2.5)
    memory = gateway["gateway with 10,000 series"]["resident_mb"]
    floor("gateway with 10,000 series", "under 120 MB", memory, lambda v: v < 120)
    return table


if __name__ == "__main__":
    main()
