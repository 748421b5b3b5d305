"""What the promise costs: messages stored a second and processor time a message, with and without synchronous=FULL.

The gateway's core alone, without network: decode, check, commit. The folder should lie on the disk of the real gateway.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from telemetry.windows import MINUTE

NOW = 1_709_294_400_000
SOURCE = Source("cv/1/{city}/{device}/data", "senml")


def messages(count: int) -> list[Incoming]:
    """Messages of two readings each from 200 devices."""
    made = []
    for n in range(count):
        device, seq = n % 200, n // 200
        label = f'"boot":1,"seq":{seq},'
        t = NOW / 1000 - (count // 200 - seq) * 10
        body = f'[{{{label}"bt":{t},"n":"no2","u":"ug/m3","v":{seq % 50}}},{{"n":"pm2_5","u":"ug/m3","v":{seq % 9}}}]'
        made.append(Incoming(f"cv/1/aba/s{device}/data", body.encode()))
    return made


def measure(folder: Path, batch: int, synchronous: str, count: int) -> dict[str, Any]:
    """One run on a new file; the loss ledger is in it."""
    core = Core(Buffer(folder / f"{batch}-{synchronous}.db", MINUTE), [SOURCE])
    core.buffer.db.execute(f"PRAGMA synchronous={synchronous}")
    work = messages(count)
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, batch):
        core.accept(work[start : start + batch], NOW)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    core.buffer.close()
    return {
        "what": f"synchronous={synchronous}", "messages_a_commit": batch, "messages": count,
        "per_second": count / wall, "cpu_us_per_message": cpu / count * 1e6,
    }  # fmt: skip


def run(folder: Path, count: int) -> list[dict[str, Any]]:
    """Rows of the table: commits of 1, 50 and 500 messages, each on disk when it returns, or not."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        measure(folder, batch, synchronous, min(count, batch * 2000))
        for batch in (1, 50, 500)
        for synchronous in ("FULL", "OFF")
    ]
