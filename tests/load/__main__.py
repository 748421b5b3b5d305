"""`python -m tests.load crowd --devices 10000`, `sustained --minutes 10`, `backlog --devices 100 --days 3` or
`large --devices 100000 --minutes 20`, `known --devices 100000`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.load import backlog, crowd, known, large, sustained


def main() -> None:
    """Run one of them and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("what", choices=["crowd", "sustained", "backlog", "large", "known"])
    parser.add_argument(
        "--devices",
        type=int,
        help="of a crowd: 10,000; of a backlog: 100; of the others: 100,000",
    )
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        folder = Path(name)
        if options.what == "crowd":
            print(json.dumps(crowd.run(folder, options.devices or 10_000)))
            return
        if options.what == "backlog":
            print(json.dumps(backlog.run(folder, options.devices or 100, options.days)))
            return
        if options.what == "known":
            print(json.dumps(known.run(folder, options.devices or 100_000)))
            return
        if options.what == "large":
            print(json.dumps(large.run(folder, options.devices or 100_000, options.minutes * 60)))
            return
        found = sustained.run(folder, options.minutes * 60)
    for part in ("gateway", "ingest", "broker"):
        early, late = (_mean(found["samples"], part, span) for span in ((120, 180), (options.minutes * 60 - 60, 1e9)))
        print(
            f"{part}: {early:.1f} MB in the 3rd minute, {late:.1f} MB in the last ({100 * (late / early - 1):+.1f} %)"
        )
    for what in ("behind", "windows"):
        print(f"{what}: at most {max((s[what] for s in found['samples'] if s['s'] >= 120), default=0)} after 2 minutes")
    print(f"limit {found['limit']} messages/s (on average {found['mean']}), load {found['rate']} messages/s")
    print(f"behind in the last minute: at most {max(s['behind'] for s in found['samples'][-6:])} messages")


def _mean(samples: list[dict[str, float]], part: str, span: tuple[float, float]) -> float:
    chosen = [s[part] for s in samples if span[0] <= s["s"] <= span[1]]
    return sum(chosen) / len(chosen) if chosen else float("nan")


if __name__ == "__main__":
    main()
