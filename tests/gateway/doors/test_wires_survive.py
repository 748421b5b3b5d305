"""The gateway is killed while files are dropped, a second broker sends and wires are read: nothing is lost or doubled.

3 kills, 20 with CITYVITALS_LONG. A wire has no acknowledgement: there, what is stored may not count twice.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.sqlite.blocks import readable
from simulators.hardware.modbus_line import ModbusLine, sdm120
from simulators.hardware.pms5003 import Pms5003
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway.doors.door_bench import closed_port
from tests.processes import wait_for
from tests.servers import Mosquitto

KILLS = 20 if os.environ.get("CITYVITALS_LONG") else 3
pytestmark = pytest.mark.timeout(1200)
T0 = 1_763_640_000
SERIES = (("m1", "power"), ("m2", "power"), ("meter", "power"), ("air", "pm10"))


class Bench(Chain):
    """A gateway with a folder, two wires and a second broker; its first broker is away."""

    def __init__(self, folder: Path, second: Mosquitto) -> None:
        city = folder / "town.toml"
        city.write_text('[city]\nid = "town"\nname = "Town"\ncountry = "DE"\ntimezone = "Europe/Berlin"\n')
        super().__init__(folder, city, closed_port(), f"sqlite:///{folder}/store.db")
        self.drop = folder / "drop"
        self.drop.mkdir()
        sources = (
            f'family = "files"\nfolder = "{self.drop}"\n',
            f'family = "sdm120"\nport = "{folder}/modbus"\ndevice = "meter"\nevery_s = 1\n',
            f'family = "pms5003"\nport = "{folder}/serial"\ndevice = "air"\nevery_s = 1\n',
            'family = "flat_json"\n',
        )
        self.config.write_text(
            self.config.read_text()
            + f'[[gateway.brokers]]\nurl = "{second.url}"\n'
            + "".join(f'[[gateway.source]]\ncity = "town"\n{s}' for s in sources)
        )

    def rows(self, device: str, quantity: str) -> list[tuple[int, float]]:
        if not (self.folder / "gateway.db").exists():
            return []
        with readable(sqlite3.connect(f"file:{self.folder}/gateway.db?mode=ro", uri=True, timeout=20)) as db:
            sql = (
                "SELECT t, value FROM every_reading JOIN buffer_series s ON s.id = series"
                " WHERE device = ? AND quantity = ? ORDER BY t, value"
            )
            return list(db.execute(sql, (device, quantity)).fetchall())

    def kill(self) -> None:
        self.processes["gateway"].kill()
        self.processes["gateway"].wait()
        self.run("gateway")


def drop_files(bench: Bench, stop: threading.Event, dropped: list[int]) -> None:
    """A file of 200 rows a second, written beside the folder and moved into it."""
    while not stop.wait(1.0):
        n = len(dropped)
        rows = [f"{T0 + 200 * n + i},m1,power,{200 * n + i},W" for i in range(200)]
        path = bench.folder / f"{n:04}.csv"
        path.write_text("time,device,quantity,value,unit\n" + "\n".join(rows) + "\n")
        path.replace(bench.drop / path.name)
        dropped.append(n)


def publish(second: Mosquitto, stop: threading.Event, acknowledged: list[int]) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", second.port)
    client.loop_start()
    while not stop.is_set():
        n = len(acknowledged)
        client.publish("flat/m2", b'{"time": %d, "power": %d}' % (T0 + n, n), qos=1).wait_for_publish(20)
        acknowledged.append(n)
        time.sleep(0.005)
    client.loop_stop()


def test_what_was_given_to_the_doors_is_there_once_after_every_kill(server: ServerFactory, tmp_path: Path) -> None:
    second = server(Mosquitto)
    bench = Bench(tmp_path, second)
    models = [
        ModbusLine(tmp_path / "modbus", {1: sdm120(230.0, 1.0, 100.0, 1000.0)}),
        Pms5003(tmp_path / "serial", period_s=0.1),
    ]
    stop, dropped, acknowledged = threading.Event(), list[int](), list[int]()
    threads = [
        threading.Thread(target=drop_files, args=(bench, stop, dropped)),
        threading.Thread(target=publish, args=(second, stop, acknowledged)),
    ]
    try:
        for model in models:
            model.start()
        bench.run("gateway")
        # The broker keeps nothing for a gateway that it has never seen.
        wait_for(lambda: f"connected to 127.0.0.1:{second.port}" in bench.log("gateway"), 60, "the second broker")
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            before = [len(bench.rows(*s)) for s in SERIES]

            def grown(before: list[int] = before) -> bool:
                return all(len(bench.rows(*s)) > n for s, n in zip(SERIES, before, strict=True))

            wait_for(grown, 90, "readings through every door")
            bench.kill()
        stop.set()
        for thread in threads:
            thread.join(30)
        wait_for(lambda: len(bench.rows("m1", "power")) >= 200 * len(dropped), 120, "all rows of all files")
        wait_for(lambda: len(list((bench.drop / "done").glob("*.csv"))) >= len(dropped), 60, "all files moved")
        wait_for(lambda: len(bench.rows("m2", "power")) >= len(acknowledged), 120, "all messages")
    finally:
        stop.set()
        for model in models:
            model.stop()
        bench.stop()
    files, messages = bench.rows("m1", "power"), bench.rows("m2", "power")
    assert files == [(1000 * (T0 + n), float(n)) for n in range(200 * len(dropped))]
    assert messages == [(1000 * (T0 + n), float(n)) for n in range(len(acknowledged))]
    polled, particles = bench.rows("meter", "power"), bench.rows("air", "pm10")
    for rows in (polled, particles):
        assert len({t for t, _ in rows}) == len(rows), "counted twice"
    print(
        f"{KILLS} kills: {len(dropped)} files of 200 rows and {len(acknowledged)} messages, all there once;"
        f" {len(polled)} polls of a meter and {len(particles)} frames of a sensor"
    )
