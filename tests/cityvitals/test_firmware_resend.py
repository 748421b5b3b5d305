"""The real firmware and the real gateway: a broker forgets what it acknowledged, and still nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.chain import Chain
from tests.chaos.world import CITY
from tests.firmware.flash import ring_of
from tests.firmware.node import Node
from tests.processes import wait_for
from tests.servers import Mosquitto

pytestmark = pytest.mark.timeout(240)


def ledger(path: Path) -> tuple[int, int, int]:
    """Received, missing and recovered records of the node."""
    if not path.exists():
        return 0, 0, 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as db:
        row = db.execute("SELECT sum(received), sum(missing), sum(recovered) FROM ledger").fetchone()
    return (row[0] or 0, row[1] or 0, row[2] or 0)


def test_records_a_broker_forgot_after_its_acknowledgement_come_again(
    server: Callable[..., Any], tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    chain = Chain(tmp_path, CITY, broker.port, "sqlite:///unused.db")
    buffer = tmp_path / "gateway.db"
    node = Node(tmp_path / "node")
    try:
        chain.run("gateway")
        wait_for(lambda: "connected" in chain.log("gateway"), 30, "the gateway")
        with node:
            node.start("127.0.0.1", broker.port, "chaos", "air-1")
            wait_for(lambda: ledger(buffer)[0] >= 3, 60, "the first records in the gateway")
            chain.stop()  # the gateway is away, the broker keeps its session and acknowledges to the node
            acknowledged = ring_of(node.workdir).next + 4
            wait_for(lambda: ring_of(node.workdir).cursor >= acknowledged, 60, "records acknowledged by the broker")
            broker.kill()
            for kept in broker.folder.glob("mosquitto.db*"):
                kept.unlink()
            broker.start()  # and now knows nothing of them
            chain.run("gateway")
            wait_for(lambda: ledger(buffer)[2] >= 4, 90, "the forgotten records")
            wait_for(lambda: ledger(buffer)[1] == 0, 60, "the last hole to be filled")
    finally:
        chain.stop()


def test_what_a_broker_forgot_of_the_boot_before_is_resent(server: Callable[..., Any], tmp_path: Path) -> None:
    """The node restarts in between: its numbers start at zero, so no gap shows; its first record names the last one."""
    broker = server(Mosquitto)
    chain = Chain(tmp_path, CITY, broker.port, "sqlite:///unused.db")
    buffer = tmp_path / "gateway.db"
    try:
        chain.run("gateway")
        wait_for(lambda: chain.log("gateway").count("connected") > 1, 30, "the gateway")
        with Node(tmp_path / "node") as node:
            node.start("127.0.0.1", broker.port, "chaos", "air-1")
            wait_for(lambda: ledger(buffer)[0] >= 3, 60, "the first records in the gateway")
            chain.stop()
            acknowledged = ring_of(node.workdir).next + 4
            wait_for(lambda: ring_of(node.workdir).cursor >= acknowledged, 60, "records acknowledged by the broker")
            node.kill()
            broker.kill()
            for kept in broker.folder.glob("mosquitto.db*"):
                kept.unlink()
            broker.start()
            chain.run("gateway")
            wait_for(lambda: "connected" in chain.log("gateway"), 30, "the gateway")
            node.start("127.0.0.1", broker.port, "chaos", "air-1")
            wait_for(lambda: ledger(buffer)[2] >= 4, 90, "the forgotten records")
            wait_for(lambda: ledger(buffer)[1] == 0, 60, "the last hole to be filled")
    finally:
        chain.stop()
