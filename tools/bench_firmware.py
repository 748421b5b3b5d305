"""Measures the firmware on the MicroPython unix port and prints a table; also writes build/bench_firmware.json.

Publish rates against a real Mosquitto on the loopback interface, live heap of a whole air-quality node, size of the
compiled firmware, flash wear of the record ring. Nothing here was measured on a board.
"""

import json
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from edge.firmware.ring import Ring  # noqa: E402
from edge.release import build, pack  # noqa: E402
from simulators.hardware.nor import Nor  # noqa: E402
from tests.firmware.certificates import Authority  # noqa: E402
from tests.firmware.interpreters import find, run  # noqa: E402
from tests.firmware.listener import Listener  # noqa: E402
from tests.firmware.node import Node  # noqa: E402
from tests.servers import Mosquitto, free_port, wait_for  # noqa: E402

Row = tuple[str, float, str, str]
HEAP = 131072


def publish_rates(folder: Path, bits: int) -> list[Row]:
    """Messages a second, 60 bytes, QoS 1, eight and twenty in flight, plain and with mutual TLS."""
    ca, port = Authority(folder), free_port()
    ca.issue("server")
    ca.issue("n1")
    (folder / "wiring.json").write_text("{}")
    rows: list[Row] = []
    with Mosquitto(folder / "broker", extra=ca.listener(port)) as broker:
        for window in ("8", "20"):
            plain = float(run("publish_rate.py", str(folder), str(broker.port), window, "20000", bits=bits))
            mutual = float(run("publish_rate.py", str(folder), str(port), window, "2000", "tls", bits=bits))
            rows.append((f"publish, {window} in flight, {bits} bit", plain, "msg/s", ">= 5000"))
            rows.append((f"publish over mutual TLS, {window} in flight, {bits} bit", mutual, "msg/s", ">= 300"))
    return rows


def live_heap(folder: Path, bits: int) -> list[Row]:
    """What a running air-quality node holds after a collection."""
    with (
        Mosquitto(folder / "broker") as broker,
        Listener(broker.port, "demo") as heard,
        Node(folder / "node", bits, heap="128k", slots=True) as node,
    ):
        node.install()
        node.wiring["speed"] = 10
        node.start("127.0.0.1", broker.port, "demo", "n1", health_s=10)
        wait_for(lambda: len(heard.with_values("heap_free")) > 5, 30, "health records")
        used = HEAP - heard.with_values("heap_free")[-1]["values"]["heap_free"]
    return [(f"live heap, air-quality node, {bits} bit", used, "B", "<= 61440" if bits == 32 else "")]


def sizes() -> list[Row]:
    """The compiled firmware for the board."""
    files = build("esp32")
    return [("bundle, all drivers", len(pack(files)), "B", "<= 102400"), ("files in it", len(files), "", "")]


def wear() -> list[Row]:
    """Erases and bytes programmed for a record of 56 bytes and its acknowledgement."""
    nor = Nor(64, 4096)
    ring, count = Ring(nor), 8000
    nor.erases = nor.programmed = 0
    for _ in range(count):
        ring.ack(ring.append(bytes(56)))
    per_record = nor.erases / count
    years = 100_000 * 64 / nor.erases * count / (1440 * 365)
    return [
        ("ring, erases a record", round(per_record, 4), "", ""),
        ("ring, bytes programmed a record", round(nor.programmed / count, 1), "B", ""),
        ("ring, life of 256 KiB at one record a minute, 100k cycles", round(years), "years", ""),
    ]


def main() -> None:
    """Measure what can be measured here."""
    rows = sizes() + wear()
    for bits in (64, 32):
        if find(bits) is None:
            print(f"MicroPython ({bits} bit) is not here: run tools/get-micropython")
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows += publish_rates(Path(folder, "rate"), bits) + live_heap(Path(folder, "heap"), bits)
    for what, value, unit, goal in rows:
        print(f"{what:<58} {value:>12,} {unit:<6} {goal}")
    target = REPO / "build" / "bench_firmware.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([{"what": w, "value": v, "unit": u, "goal": g} for w, v, u, g in rows], indent=1))


if __name__ == "__main__":
    main()
