"""Measures the firmware on the MicroPython unix port and prints a table; also writes build/bench_firmware.json.

Publish rates against a real Mosquitto on the loopback interface, live heap of a whole air-quality node, size of the
compiled firmware, flash wear of the record ring. Nothing here was measured on a board.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from edge.firmware.records.ring import Ring  # noqa: E402
from edge.tools.release import build, pack  # noqa: E402
from simulators.hardware.bme280 import Bme280  # noqa: E402
from simulators.hardware.charger import OpenEvse  # noqa: E402
from simulators.hardware.climate import Ads1115, Scd41  # noqa: E402
from simulators.hardware.i2c import Bus, Chip  # noqa: E402
from simulators.hardware.meters import P1Port, S0Output  # noqa: E402
from simulators.hardware.nor import Nor  # noqa: E402
from simulators.hardware.pms5003 import Pms5003  # noqa: E402
from tests.firmware.certificates import Authority  # noqa: E402
from tests.firmware.interpreters import find, run, usable  # noqa: E402
from tests.firmware.listener import Listener  # noqa: E402
from tests.firmware.node import AIR, Node  # noqa: E402
from tests.servers import Mosquitto, free_port, wait_for  # noqa: E402

Row = tuple[str, float, str, str]
HEAP = {64: "256k", 32: "112k"}
ROM_HEAP = "64k"  # in which a node must run from ROMFS
LIVE, SMALLEST, SLOTS_HEAP = "<= 46080", "<= 65536", "<= 114688"  # B: live, and the heaps of 64 and 112 kB
KINDS = ("air quality", "full air quality", "energy", "charger")


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


def wired(node: Node, kind: str) -> list[dict[str, Any]]:
    """Connect the models of a kind of node; returns its sensors."""
    if kind == "air quality":
        return node.air()
    line = node.workdir / "uart1"
    if kind == "full air quality":
        chips: dict[int, Chip] = {
            0x76: Bme280(),
            0x62: Scd41(running=True),
            0x48: Ads1115([512000, 300000, -25000, 1000]),
        }
        node.wire(Pms5003(line), "uart", "1")
        node.wire(Bus(node.workdir / "i2c0", chips), "i2c", "0")
        channels = {"no2_we": 0, "no2_ae": 1, "o3_we": 2, "o3_ae": 3}
        return [*AIR, {"driver": "scd41", "bus": 0}, {"driver": "ads1115", "bus": 0, "channels": channels}]
    if kind == "charger":
        node.wire(OpenEvse(line), "uart", "1")
        return [{"driver": "openevse", "port": 1}]
    meter, contact = P1Port(line, lambda: (2345678, 450)), S0Output(node.workdir / "s0")
    node.wire(meter, "uart", "1")
    node.wire(contact, "pulse", "4")
    return [{"driver": "dsmr_p1", "port": 1}, {"driver": "s0", "pin": 4, "per_kwh": 1000}]


def live_heap(folder: Path, bits: int, kind: str, rom: bool = False) -> list[Row]:
    """The most that a node held after a collection in twenty of its minutes, its TLS link up."""
    heap = ROM_HEAP if rom else HEAP[bits]
    free = heap_free(folder, bits, kind, heap, rom)
    used = usable(bits, heap) - free if free is not None else 0
    where = "ROMFS" if rom else "file system"
    return [(f"live heap, {kind} node, mutual TLS, {bits} bit, {where}", used, "B", LIVE if rom else "")]


def heap_free(folder: Path, bits: int, kind: str, heap: str, rom: bool, records: int = 40) -> float | None:
    """The least memory that was free; None where the node does not deliver in this heap."""
    ca, port = Authority(folder / "ca"), free_port()
    ca.issue("server")
    extra = {"script": "rom_node.py"} if rom else {"slots": True}
    with (
        Mosquitto(folder / "broker", extra=ca.listener(port)) as broker,
        Listener(broker.port, "demo") as heard,
        Node(folder / "node", bits, heap=heap, **extra) as node,
    ):
        node.install_rom() if rom else node.install()
        node.wiring["speed"] = 60
        link = {"tls": node.certified(ca, "n1"), "keepalive_s": 600}
        sensors = wired(node, kind)
        node.start("127.0.0.1", port, "demo", "n1", interval_s=20, sensors=sensors, mqtt=link, health_s=30)
        try:
            wait_for(lambda: node.exits or len(heard.with_values("heap_free")) > records, 60, "health records")
        except AssertionError:
            return None
        if node.exits or heard.faults():
            return None
        return float(min(record["values"]["heap_free"] for record in heard.with_values("heap_free")))


def smallest_heap(folder: Path, kind: str, rom: bool) -> list[Row]:
    """By bisection, in steps of 1 kB: the smallest heap in which a node delivers over mutual TLS."""
    low, high = (40, 80) if rom else (70, 140)
    while high - low > 1:
        middle = (low + high) // 2
        free = heap_free(folder / str(middle), 32, kind, f"{middle}k", rom, records=6)
        low, high = (low, middle) if free is not None else (middle, high)
    where, goal = ("ROMFS", SMALLEST) if rom else ("file system", SLOTS_HEAP)
    return [(f"smallest heap, {kind} node, mutual TLS, 32 bit, {where}", high * 1024, "B", goal)]


def margin(value: float, goal: str) -> str:
    """How far a figure is from its budget, in percent of the budget; negative where it is missed."""
    if not goal:
        return ""
    sign, limit = goal.split()
    part = (float(limit) - value) / float(limit) * (1 if sign == "<=" else -1)
    return f"{part:+.0%}"


def sizes() -> list[Row]:
    """The compiled firmware for the board."""
    files = build("esp32")
    return [("bundle, all drivers", len(pack(files)), "B", "<= 114688"), ("files in it", len(files), "", "")]


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
            rows += publish_rates(Path(folder, "rate"), bits)
            for kind in KINDS:
                rows += live_heap(Path(folder, kind), bits, kind)
                if bits == 32:
                    rows += live_heap(Path(folder, kind + " rom"), bits, kind, rom=True)
            if bits == 32:
                for kind in KINDS:
                    rows += smallest_heap(Path(folder, "smallest", kind), kind, rom=True)
                rows += smallest_heap(Path(folder, "smallest", "slots"), "full air quality", rom=False)
    for what, value, unit, goal in rows:
        print(f"{what:<72} {value:>12,} {unit:<6} {goal:<10} {margin(value, goal)}")
    target = REPO / "build" / "bench_firmware.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([{"what": w, "value": v, "unit": u, "goal": g} for w, v, u, g in rows], indent=1))


if __name__ == "__main__":
    main()
