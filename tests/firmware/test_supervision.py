"""Nothing that happens to a task goes unnoticed, and nothing that happens to the network restarts a node."""

import signal
from pathlib import Path

from tests.conftest import ServerFactory
from tests.firmware.flash import ring_of
from tests.firmware.listener import Listener
from tests.firmware.node import AIR, Node
from tests.servers import Mosquitto, free_port, wait_for

HANGS_ONCE = """
import os
class Driver:
    def __init__(self, board, options):
        self.flag = options["flag"]  # attributes of the board have other names in a release
    async def read(self):
        try:
            os.stat(self.flag)
        except OSError:
            open(self.flag, "w").close()
            while True:
                pass
        return []
"""
FORGETS_THE_TIME = """
class Driver:
    def __init__(self, board, options):
        self.board = board
    async def read(self):
        await self.board.sleep_ms(10 ** 9)
"""


def test_a_hanging_driver_is_ended_by_the_watchdog_and_the_node_goes_on(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node", slots=True) as node:
        node.install()
        (node.workdir / "a/firmware/hangs.py").write_text(HANGS_ONCE)
        sensors = [*node.air(), {"driver": "hangs", "flag": str(node.workdir / "hung")}]
        node.start("127.0.0.1", broker.port, "demo", "n1", sensors=sensors, watchdog_s=4)
        wait_for(lambda: len(heard.with_values("pm2_5")) >= 2, 30, "readings after the watchdog")
        assert node.exits == [-signal.SIGALRM]
        assert heard.with_values("pm2_5")[0]["head"]["boot"] == 2


def test_a_driver_that_never_answers_costs_only_its_own_values(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node", slots=True) as node:
        node.install()
        node.wiring["speed"] = 10
        (node.workdir / "a/firmware/forgets.py").write_text(FORGETS_THE_TIME)
        node.start("127.0.0.1", broker.port, "demo", "n1", sensors=[*node.air(), {"driver": "forgets"}])
        wait_for(lambda: len(heard.with_values("pm2_5")) >= 2, 30, "readings")
        assert node.exits == []


def test_an_hour_without_a_network_does_not_restart_a_node_and_it_keeps_every_reading(tmp_path: Path) -> None:
    with Node(tmp_path / "node", slots=True) as node:
        node.install()
        node.wiring.update(speed=300, sectors=128)
        node.air()
        node.pms.period_s = 0.01
        node.configure("127.0.0.1", free_port(), "demo", "n1", interval_s=100, sensors=AIR, health_s=3600)
        node.boot()
        wait_for((node.workdir / "ring.bin").exists, 10, "the first record")
        wait_for(lambda: ring_of(node.workdir).next >= 25, 60, "most of an hour of readings")
        assert node.exits == []
        ring = ring_of(node.workdir)
        assert all(ring.pending(number) for number in range(ring.next))
