"""`python -m tests.hostile --minutes 10 --seed 7`: prints what was late, lost and doubled, p99 latency and peak memory.

--results FOLDER keeps each report; --table FILE writes that folder's reports into the table of a document.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.hostile import report as reports
from tests.hostile.run import run


def main() -> int:
    """Run once for each seed; 1 where something was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, nargs="*", default=[], help="none: no run, only the table")
    parser.add_argument("--folder", type=Path, help="where files and logs stay; default: a temporary folder")
    parser.add_argument("--results", type=Path, help="keep the report of each run in this folder")
    parser.add_argument("--table", type=Path, help="a Markdown file whose table is remade from --results")
    parser.add_argument("--attack", nargs="+", default=[], help="only these of tests/hostile/attacks.py")
    options = parser.parse_args()
    failed = 0
    for seed in options.seed:
        with tempfile.TemporaryDirectory(prefix="hostile-") as temporary:
            outcome = run((options.folder or Path(temporary)) / f"seed-{seed}", seed, options.minutes, options.attack)
        print(outcome, flush=True)
        failed += outcome.failed
        if options.results:
            reports.keep(options.results, outcome)
    if options.table:
        reports.write(options.table, options.results)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
