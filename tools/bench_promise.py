"""What the promise costs: messages stored a second and processor time a message, with and without synchronous=FULL.

    python tools/bench_promise.py [--messages N] [--folder DIR]

The gateway's core alone, without network: decode, check, commit. The folder should lie on the disk of the real gateway.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.buffer import Buffer
from gateway.core import Core, Incoming, Source
from telemetry.windows import MINUTE

NOW = 1_709_294_400_000
SOURCE = Source("cv/1/{city}/{device}/data", "senml")


def messages(count: int, numbered: bool) -> list[Incoming]:
    """Messages of two readings each from 200 devices."""
    made = []
    for n in range(count):
        device, seq = n % 200, n // 200
        label = f'"boot":1,"seq":{seq},' if numbered else ""
        t = NOW / 1000 - (count // 200 - seq) * 10
        body = f'[{{{label}"bt":{t},"n":"no2","u":"ug/m3","v":{seq % 50}}},{{"n":"pm2_5","u":"ug/m3","v":{seq % 9}}}]'
        made.append(Incoming(f"cv/1/aba/s{device}/data", body.encode()))
    return made


def measure(folder: Path, batch: int, synchronous: str, numbered: bool, count: int) -> dict[str, object]:
    """One run on a new file."""
    path = folder / f"{batch}-{synchronous}-{numbered}.db"
    core = Core(Buffer(path, MINUTE), [SOURCE])
    core.buffer.db.execute(f"PRAGMA synchronous={synchronous}")
    work = messages(count, numbered)
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, batch):
        core.accept(work[start : start + batch], NOW)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    core.buffer.close()
    return {
        "messages a commit": batch, "synchronous": synchronous, "ledger": numbered,
        "messages/s": round(count / wall), "CPU us/message": round(cpu / count * 1e6, 1),
    }  # fmt: skip


def main() -> None:
    """Measure and print, as a table and as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [
            measure(Path(folder), batch, synchronous, numbered, min(options.messages, batch * 2000))
            for batch in (1, 50, 500)
            for synchronous in ("FULL", "OFF")
            for numbered in (True, False)
        ]
    if options.json:
        print(json.dumps(rows))
        return
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(v) for v in row.values()) + " |")


if __name__ == "__main__":
    main()
