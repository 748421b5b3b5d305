"""A store whose disk is full: nothing is acknowledged, nothing is said to be stored, and with room it continues."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from tests.chain import Chain
from tests.chaos.world import CITY
from tests.cityvitals.test_gateway_life import count, now_ms, publish
from tests.processes import wait_for
from tests.servers import Mosquitto

_WINDOWS = "SELECT coalesce(sum(n), 0) FROM \"window\" w JOIN series s ON s.id = w.series WHERE s.quantity = 'no2'"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root makes a small file system")
@pytest.mark.parametrize("rejects_too", [False, True])
def test_with_a_full_disk_of_the_store_nothing_is_acknowledged_and_with_room_it_continues(
    rejects_too: bool, server: object, tmp_path: Path
) -> None:
    broker = server(Mosquitto)  # type: ignore[operator]
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "small", disk], check=True)
    store = disk / "store.db"
    chain = Chain(tmp_path, CITY, broker.port, f"sqlite:///{store}")
    if rejects_too:
        chain.config.write_text(
            chain.config.read_text().replace(str(tmp_path / "rejects.db"), str(disk / "rejects.db"))
        )
    link = Link(Broker("127.0.0.1", broker.port), "node", session=False)
    try:
        for name in ("gateway", "ingest"):
            chain.run(name)
            wait_for(lambda: "connected" in chain.log(name), 60, f"{name} to run")  # noqa: B023
        start = now_ms()
        publish(link, "air-1", [(start - 60_000 * n, 1.0) for n in range(20)])
        wait_for(lambda: count(store, _WINDOWS) == 20, 60, "the first windows")
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        publish(link, "air-1", [(start - 60_000 * n, 1.0) for n in range(20, 3000)])
        wait_for(lambda: "nothing is acknowledged" in chain.log("ingest"), 60, "ingest to report it")
        assert "storing again" not in chain.log("ingest")
        ballast.unlink()
        room = time.monotonic()
        wait_for(lambda: count(store, _WINDOWS) == 3000, 120, "all windows")
        print(f"stored {time.monotonic() - room:.1f} s after there was room")
        wait_for(lambda: chain.log("ingest").count("storing again") == 1, 10, "ingest to report that it stores")
    finally:
        link.close()
        chain.stop()
        subprocess.run(["umount", disk], check=True)
