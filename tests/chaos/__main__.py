"""`make chaos SEED=n MINUTES=m`: one run and its report; `--table FILE` adds a row to the table in that document."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos import table
from tests.chaos.run import CALM, run


def main() -> int:
    """Run once for each seed; 1 where something was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--mutant", default="none", help="a planted mistake, see mutants.py")
    parser.add_argument("--keep", type=Path, help="keep logs and files of the run in this folder")
    parser.add_argument("--table", type=Path, help="a Markdown file whose table of runs is to grow")
    parser.add_argument("--only", nargs="+", default=(), help="only these faults")
    parser.add_argument("--calm", type=float, default=CALM, help="seconds in which everything must have healed")
    options = parser.parse_args()
    failed = 0
    for seed in options.seed:
        with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
            folder = (options.keep or Path(temporary)) / f"seed-{seed}"
            report = run(folder, seed, options.minutes, options.mutant, options.calm, options.only)
        print(report, flush=True)
        failed += bool(report.problems)
        if options.table:
            table.add(options.table, report)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
