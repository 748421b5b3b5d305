"""What further gateway processes at one broker add: `python -m tests.bench.sharing`.

Gateways with `share = "1/n"` to "n/n" run while messages of many devices are published as fast as the broker takes
them. Each receives and acknowledges every message, and reads and stores those of its own devices. Processor
time for each published message: of the busiest gateway, which is the limit on a machine with enough cores, of all
together, and of the broker, which sends each message n times.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.bench.throughput import REPO
from tests.processes import end, start, wait_for
from tests.servers import Mosquitto

_VALUES = {"senml 137": 3, "flat": 7}  # readings of a message
_SOURCES = """
[[gateway.source]]
topic = "cv/1/{city}/{device}/data"
format = "senml"
[[gateway.source]]
topic = "flat/{device}"
format = "flat_json"
city = "bench"
"""


class Gateway:
    """One of `of` gateway processes."""

    def __init__(self, folder: Path, port: int, number: int, of: int) -> None:
        folder.mkdir(parents=True)
        self._buffer, log = folder / "gateway.db", folder / "gateway.log"
        config = folder / "cityvitals.toml"
        config.write_text(
            f'[gateway]\nid = "{folder.parent.name}-{number}"\nbuffer = {json.dumps(str(self._buffer))}\n'
            f'broker.url = "mqtt://127.0.0.1:{port}"\nshare = "{number}/{of}"\n{_SOURCES}'
        )
        self._process = start([sys.executable, "-m", "cityvitals", "gateway", "--config", str(config)], log=log)
        wait_for(lambda: log.read_text().count("connected to") > 1, 120, "both links of the gateway")
        self._began = self.used()

    def used(self) -> float:
        """Processor seconds so far."""
        used = psutil.Process(self._process.pid).cpu_times()
        return float(used.user + used.system)

    def counted(self, name: str) -> int:
        """One of the buffer's counters."""
        with closing(sqlite3.connect(self._buffer, timeout=60)) as db:
            found = db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    def stop(self) -> float:
        """Processor seconds since the start."""
        used = self.used() - self._began
        end(self._process)
        return used


def quiet(gateways: list[Gateway]) -> bool:
    """Whether they have nothing to do for half a second: what is for others is counted by none."""
    before = [gateway.used() for gateway in gateways]
    time.sleep(0.5)
    return all(gateway.used() - used < 0.03 for gateway, used in zip(gateways, before, strict=True))


def one(folder: Path, of: int, form: str, messages: int, devices: int) -> dict[str, float]:
    """One measurement with so many gateways."""
    with Mosquitto(folder / "mosquitto") as broker:
        gateways = [Gateway(folder / str(number), broker.port, number, of) for number in range(1, of + 1)]
        try:
            assert broker.process is not None
            server = psutil.Process(broker.process.pid)
            before = server.cpu_times()
            began = time.perf_counter()
            blast = [sys.executable, "-m", "tests.bench.blast", str(broker.port), str(messages), str(devices), form]
            subprocess.run(blast, check=True, cwd=REPO, stdout=subprocess.DEVNULL)
            # Redelivered messages are received twice and stored once, so what is stored says when all have come.
            wanted = messages * _VALUES[form]
            wait_for(lambda: sum(g.counted("gw_stored") for g in gateways) >= wanted, 600, "all readings")
            wait_for(lambda: quiet(gateways), 600, "the messages of other gateways")
            wall, after = time.perf_counter() - began, server.cpu_times()
        finally:
            used = [1e6 * gateway.stop() / messages for gateway in gateways]
    return {
        "busiest": max(used), "all": sum(used), "wall": 1e6 * wall / messages,
        "broker": 1e6 * (after.user + after.system - before.user - before.system) / messages,
    }  # fmt: skip


def run(folder: Path, form: str, messages: int, devices: int, rounds: int) -> list[dict[str, Any]]:
    """One to three gateways in turn; medians."""
    found: dict[int, list[dict[str, float]]] = {1: [], 2: [], 3: []}
    for number in range(rounds):
        for of, runs in found.items():
            runs.append(one(folder / f"{form.replace(' ', '-')}-{number}-{of}", of, form, messages, devices))
    rows: list[dict[str, Any]] = []
    for of, runs in found.items():
        middle = {name: float(np.median([row[name] for row in runs])) for name in runs[0]}
        first = rows[0]["busiest gateway"] if rows else middle["busiest"]
        rows.append(
            {
                "form": form, "gateways": of, "busiest gateway": round(middle["busiest"], 1),
                "all gateways": round(middle["all"], 1), "broker": round(middle["broker"], 1),
                "on the wall": round(middle["wall"], 1), "times one gateway": round(first / middle["busiest"], 2),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Print the rows: microseconds a message."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for form in ("senml 137", "flat"):
            for row in run(Path(name), form, given.messages, given.devices, given.rounds):
                print(row, flush=True)


if __name__ == "__main__":
    main()
