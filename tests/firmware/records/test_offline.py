"""Three days without a network, the power lost twice: every reading is in the gateway's store with its right time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from simulators.hardware.climate import Ads1115
from simulators.hardware.i2c import Bus
from tests.conftest import ServerFactory
from tests.firmware.flash import records_of
from tests.firmware.gateway import NODE, Gateway
from tests.firmware.node import Node
from tests.firmware.timeserver import NodeClock, TimeServer
from tests.servers import Mosquitto, wait_for

DAY_S = 86400.0
START = 1795000000.0
SENSOR = {"driver": "ads1115", "sample_s": 0, "channels": {"no2_ae": 0, "no2_we": 1, "o3_ae": 2}}
INTERVAL_S = 120 if os.environ.get("CITYVITALS_LONG") else 600
BITS = 64  # the time of 32 bits would wrap within such a leap


class Witness(Ads1115):
    """A converter that shows the true time since the start: thousands of seconds, seconds, milliseconds (as mV)."""

    def __init__(self, clock: NodeClock) -> None:
        super().__init__()
        self.clock = clock

    def write(self, data: bytes) -> bool:
        """A measurement of the first channel begins: all three show this moment."""
        if len(data) == 3 and data[1] >> 4 & 7 == 4:
            ms = round((self.clock() - START) * 1000)
            self.microvolt = [ms // 1000000 * 1000, ms // 1000 % 1000 * 1000, ms % 1000 * 1000, 0]
        return super().write(data)


def shown_s(values: dict[str, float]) -> float:
    """What the converter showed, in seconds since the start."""
    return values["no2_ae"] * 1000 + values["no2_we"] + values["o3_ae"] / 1000


def on_flash(node: Node) -> dict[float, int]:
    """The readings on flash: what each showed, and the boot it was taken in."""
    if not (node.workdir / "ring.bin").exists():
        return {}
    records = records_of(node.workdir).values()
    found = [(rec.boot, {name: value / 1000 for name, value, _ in rec.values}) for rec in records]
    return {shown_s(values): boot for boot, values in found if "o3_ae" in values}


def a_day_away(node: Node, clock: NodeClock, began: float) -> None:
    """Leap over a day since the start of the node, up to a second before a reading is due; wait for that reading."""
    end = began + DAY_S - 1
    clock.leap(end)
    wait_for(lambda: clock() >= end, 120, "the end of the day")
    taken = len(on_flash(node))
    wait_for(lambda: len(on_flash(node)) > taken, 10, "one more reading")


def passed(clock: NodeClock, end: float) -> bool:
    """Whether the node's time has come to `end`."""
    return clock() >= end


def the_network_returns(broker: Mosquitto, ntp: TimeServer, clock: NodeClock) -> None:
    """Leap on in small steps until the node has found it; from then on time passes as usual."""

    def connections() -> int:
        return broker.log.read_text(errors="replace").count("as cv-" + "-".join(NODE))

    before = connections()
    ntp.silent = False
    while connections() == before:
        end = clock() + 5
        clock.leap(end)
        wait_for(partial(passed, clock, end), 10, "five seconds to pass")


@contextmanager
def placed(broker: Mosquitto, folder: Path) -> Iterator[tuple[Node, TimeServer, NodeClock]]:
    """A node that leaps, and its time server."""
    clock = NodeClock(folder / "node" / "truth")
    conf: dict[str, Any]
    with Node(folder / "node", BITS, script="leap_node.py") as node, TimeServer(clock) as ntp:
        clock.set(START, START)
        node.wire(Bus(node.workdir / "i2c0", {0x48: Witness(clock)}), "i2c", "0")
        node.wiring["sectors"] = 128
        link = {"keepalive_s": 60, "backoff_max_s": 300}
        conf = {"ntp": [ntp.name], "mqtt": link, "health_s": 3600, "watchdog_s": 300, "sensors": [SENSOR]}
        node.start("127.0.0.1", broker.port, *NODE, INTERVAL_S, **conf)
        yield node, ntp, clock


def test_a_node_that_was_offline_for_three_days_and_lost_power_twice_delivers_every_reading_with_its_right_time(
    server: ServerFactory, tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    broker.stop()
    with placed(broker, tmp_path) as (node, ntp, clock):
        wait_for((node.workdir / "anchors").exists, 30, "the first synchronisation")
        ntp.silent = True
        began = float(START)
        for _ in range(2):
            a_day_away(node, clock, began)
            node.power_cut()
            began = clock()
            node.boot()
        a_day_away(node, clock, began)
        broker.start()
        with Gateway(tmp_path / "gateway", broker.port, clock) as gateway:
            the_network_returns(broker, ntp, clock)
            wait_for(lambda: len(readings_of(gateway)) >= len(on_flash(node)), 60, "every reading")
            readings, boots = readings_of(gateway), on_flash(node)
            assert gateway.missing() == 0
    assert sorted(shown_s(values) for _, values in readings) == sorted(boots)
    assert len(boots) > 3 * DAY_S / INTERVAL_S
    errors: dict[int, list[float]] = {1: [], 2: [], 3: []}
    for t, values in readings:
        errors[boots[shown_s(values)]].append(t / 1000 - START - shown_s(values))
    for boot, found in errors.items():
        print(f"boot {boot}: {len(found)} readings, stamped {min(found):+.2f}..{max(found):+.2f} s")
        assert [error for error in found if abs(error) > 1] == []


def readings_of(gateway: Gateway) -> list[tuple[int, dict[str, float]]]:
    """The readings of the converter in its store, with their times (ms UTC)."""
    return [(t, values) for t, values in gateway.readings().items() if "o3_ae" in values]
