"""A day in the life of a node with little memory: the heap must not grow.

The 32-bit build with a 64 kB heap, the modules in place from a ROMFS image; with CITYVITALS_LONG=1 it lives through
24 hours, otherwise through one.
"""

import os
import statistics
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import ServerFactory
from tests.firmware.flash import records_of
from tests.firmware.interpreters import usable
from tests.firmware.listener import Listener
from tests.firmware.nameserver import NameServer
from tests.firmware.node import Node
from tests.firmware.timeserver import FastClock, TimeServer
from tests.servers import Mosquitto, wait_for

pytestmark = pytest.mark.timeout(3600)
HEAP = "64k"
LIVE_MAX = 45 * 1024  # with the unix port's board support and virtual hardware: 4 kB
HOURS, SPEED = (24, 300) if os.environ.get("CITYVITALS_LONG") else (0.5, 300)


def hours(heard: Listener) -> float:
    """How long the node has been awake, by its own account."""
    health = heard.with_values("uptime")
    return float(health[-1]["values"]["uptime"]) / 3600 if health else 0.0


def lived(heard: Listener, enough: float) -> bool:
    """Whether the node has been awake for that many hours."""
    return hours(heard) >= enough


def at_rest(node: Node, heard: Listener) -> int:
    """The least live heap (B) of the next six reports, once the broker has every record that the node took."""
    newest = max(records_of(node.workdir))[1]
    wait_for(lambda: (1, newest) in heard.records, 60, "the last record")
    before = len(heard.with_values("heap_free"))
    wait_for(lambda: len(heard.with_values("heap_free")) >= before + 6, 600, "six reports")
    return usable(32, HEAP) - max(int(r["values"]["heap_free"]) for r in heard.with_values("heap_free")[before:])


def a_day(broker: Mosquitto, heard: Listener, node: Node) -> list[int]:
    """Live through it; after each quarter the broker is started again and old readings are asked for once more.

    Returns the live heap at rest after each of these, in bytes.
    """
    rests = []
    for part in range(1, 5):
        wait_for(partial(lived, heard, part * HOURS / 4), 600, f"part {part} of the day")
        assert (node.exits, heard.faults()) == ([], [])
        broker.restart()
        newest = max(records_of(node.workdir))[1]
        heard.command("n1", cmd="resend", id=part, boot=1, **{"from": max(0, newest - 9), "to": newest})
        wait_for(lambda part=part: len(heard.on("/cmd/answer")) >= part, 60, "the answer")  # type: ignore[misc]
        rests.append(at_rest(node, heard))
    wait_for(lambda: hours(heard) > HOURS * 1.02, 600, "the end of the day")
    return rests


def test_the_heap_does_not_grow_over_a_day_with_broker_restarts(server: ServerFactory, tmp_path: Path) -> None:
    broker, clock = server(Mosquitto), FastClock(SPEED)
    with (
        Listener(broker.port, "demo", clock) as heard,
        TimeServer(clock) as ntp,
        NameServer() as names,
        Node(tmp_path / "node", bits=32, heap=HEAP, script="rom_node.py") as node,
    ):
        node.install_rom()
        node.wiring.update(speed=SPEED, dns=[names.name], watchdog_s=30)
        node.air()
        node.pms.period_s = 0.02
        link = {"keepalive_s": 3600, "backoff_max_s": 60}
        time_server = f"time.example:{ntp.name.partition(':')[2]}"
        node.start("broker.example", broker.port, "demo", "n1", 60, mqtt=link, ntp=[time_server], health_s=120)
        rests = a_day(broker, heard, node)
        taken = max(records_of(node.workdir))[1]  # the node numbers what it takes from 0 on
        wait_for(lambda: (1, taken) in heard.records, 30, "the last record")
        health, readings = heard.with_values("heap_free"), heard.with_values("pm2_5")
        assert (node.exits, heard.faults()) == ([], [])
        assert {a["found"] for a in heard.on("/cmd/answer")} == {10}
    heap = usable(32, HEAP)
    used = [heap - r["values"]["heap_free"] for r in health]
    print(
        f"{taken + 1} records, {len(readings)} of them readings, live heap {min(used)}..{max(used)} B, {rests} at rest"
    )
    assert [seq for seq in range(taken + 1) if (1, seq) not in heard.records] == []
    assert statistics.median(used) <= LIVE_MAX  # a command or a report loads a module for a moment
    assert rests[-1] <= rests[0] + 512  # at rest: neither a command's module nor records that wait are in it
    assert len(readings) > HOURS * 50
