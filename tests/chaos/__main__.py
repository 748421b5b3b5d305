"""`make chaos SEED=n MINUTES=m`: one run and its report. Several runs at once do not disturb each other.

--results FOLDER keeps each report as a file; --table FILE writes that folder's reports into the table of a document.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.chaos import table
from tests.chaos.network import apart, why_not
from tests.chaos.run import CALM, run


def main() -> int:
    """Run once for each seed; 1 where something was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="*", default=[], help="none: no run, only the table")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--mutant", default="none", help="a planted mistake, see mutants.py")
    parser.add_argument("--keep", type=Path, help="keep logs and files of the run in this folder")
    parser.add_argument("--results", type=Path, help="keep the report of each run in this folder")
    parser.add_argument("--table", type=Path, help="a Markdown file whose table is written from --results")
    parser.add_argument("--only", nargs="+", default=(), help="only these faults")
    parser.add_argument("--calm", type=float, default=CALM, help="seconds in which everything must have healed")
    options = parser.parse_args()
    if not options.seed and not options.table:
        parser.error("nothing to do: name seeds (--seed 1 2) or a document (--table FILE)")
    if reason := why_not():
        print(f"no faults in the kernel's network, only in a TCP proxy: {reason}", flush=True)
    with nullcontext() if reason else apart():
        failed = _runs(options)
    if options.table:
        table.write(options.table, options.results)
    return 1 if failed else 0


def _runs(options: argparse.Namespace) -> int:
    """One run for each seed; how many failed."""
    failed = 0
    for seed in options.seed:
        with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
            folder = (options.keep or Path(temporary)).resolve() / f"seed-{seed}"
            report = run(folder, seed, options.minutes, options.mutant, options.calm, options.only)
        print(report, flush=True)
        failed += bool(report.problems)
        if options.results:
            table.keep(options.results, report)
    return failed


if __name__ == "__main__":
    sys.exit(main())
