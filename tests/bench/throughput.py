"""Gateway throughput beside a subscriber that does nothing, on the same broker in the same run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers import Mosquitto

REPO = Path(__file__).parents[2]


def run(folder: Path, messages: int, repeats: int = 3) -> list[dict[str, Any]]:
    """Alternate the two `repeats` times on one broker, so that both see the same neighbours; the median of each."""
    found: dict[str, list[dict[str, Any]]] = {"nothing": [], "gateway": [], "gateway off": []}
    with Mosquitto(folder / "mosquitto") as broker:
        for number in range(repeats):
            for which, runs in found.items():
                runs.append(one(which, broker.port, messages, folder / f"{which.replace(' ', '-')}-{number}"))
    rows = []
    names = {"nothing": "subscriber that does nothing", "gateway": "gateway, acknowledged after commit"}
    for which, runs in found.items():
        middle = sorted(runs, key=lambda r: r["per_second"])[repeats // 2]
        rows.append({"what": names.get(which, "gateway without synchronous=FULL"), **middle})
    return rows


def one(which: str, port: int, messages: int, folder: Path, devices: int = 100) -> dict[str, Any]:
    """One measurement: the subscriber in a process, the publisher in another."""
    folder.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "tests.bench.subscriber",
        *which.split()[:1],
        str(port),
        str(messages),
        str(folder),
    ]
    subscriber = subprocess.Popen([*command, *which.split()[1:]], stdout=subprocess.PIPE, text=True, cwd=REPO)
    assert subscriber.stdout is not None
    assert subscriber.stdout.readline() == "ready\n"
    subprocess.run(
        [sys.executable, "-m", "tests.bench.blast", str(port), str(messages), str(devices)],
        check=True, cwd=REPO, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = subscriber.communicate(timeout=300)
    figures: dict[str, Any] = json.loads(out.splitlines()[-1])
    return figures


def memory_with_series(folder: Path, devices: int = 5000) -> dict[str, Any]:
    """Resident memory of a gateway that serves 10,000 series (5,000 devices with two each)."""
    with Mosquitto(folder / "mosquitto-series") as broker:
        figures = one("gateway", broker.port, devices * 20, folder / "series", devices)
    return {"what": "gateway with 10,000 series", **figures}
