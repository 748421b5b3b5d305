"""`python -m tests.hostile --minutes 10 --seed 7`: prints lost, doubled, p99 latency and peak memory."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.hostile.run import run


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where files and logs stay; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        outcome = run(options.folder or Path(temporary), options.seed, options.minutes)
    print(outcome)
    return 1 if outcome.lost or outcome.doubled else 0


if __name__ == "__main__":
    raise SystemExit(main())
