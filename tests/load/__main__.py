"""`python -m tests.load crowd --devices 10000` or `python -m tests.load sustained --minutes 10`."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.load import crowd, sustained


def main() -> None:
    """Run one of them and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("what", choices=["crowd", "sustained"])
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        folder = Path(name)
        if options.what == "crowd":
            print(json.dumps(crowd.run(folder, options.devices)))
            return
        found = sustained.run(folder, options.minutes * 60)
    steady = [s for s in found["samples"] if s["s"] >= 120]
    for part in ("gateway", "ingest", "broker"):
        if len(steady) > 1:
            growth = 100 * (steady[-1][part] / steady[0][part] - 1)
            print(f"{part}: {steady[0][part]} MB after 2 minutes, {steady[-1][part]} MB at the end ({growth:+.1f} %)")
    print(f"limit {found['limit']} messages/s, load {found['rate']} messages/s")


if __name__ == "__main__":
    main()
