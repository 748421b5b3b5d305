"""A real InfluxDB goes away while windows come: nothing is lost, and nothing is called stored that is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.stores import open_store
from simulators.publisher import Publisher
from telemetry.series import SeriesTable
from tests.chain import Chain, chain
from tests.conftest import ServerFactory
from tests.gateway.test_running import CITY, T0
from tests.processes import wait_for
from tests.servers import InfluxDB, Mosquitto


def waiting(chain: Chain) -> int:
    """Windows of s1 that the gateway does not know to be stored."""
    sql = "SELECT count(*) FROM dirty d JOIN buffer_series s ON s.id = d.series WHERE device = 's1'"
    with sqlite3.connect(f"file:{chain.folder / 'gateway.db'}?mode=ro", uri=True) as db:
        return int(db.execute(sql).fetchone()[0])


def test_while_influxdb_is_away_windows_wait_at_the_gateway(server: ServerFactory, tmp_path: Path) -> None:
    broker, influx = server(Mosquitto), server(InfluxDB)
    city, store = tmp_path / "aba.toml", f"influxdb://{influx.host}:{influx.port}/away"
    city.write_text(CITY)
    link = Link(Broker.parse(broker.url), "sender", session=False)

    def publish(first: int, last: int) -> None:
        sender = Publisher(link)
        for n in range(first, last):
            sender.send("aba", "s1", msgspec.json.encode([{"n": "no2", "v": float(n % 9), "t": T0 + 60 * n}]))
        sender.settle()

    def held() -> int:
        table = SeriesTable()
        parts = open_store(store).partials("aba", "window", 0, 1 << 52, table)
        return sum(int(p.n[[table[s].device == "s1" for s in p.series.tolist()]].sum()) for p in parts)

    with chain(tmp_path / "chain", city, broker.port, store) as running:
        for name in running.processes:
            wait_for(lambda: "connected to" in running.log(name), 30, f"{name} to connect")  # noqa: B023
        publish(0, 10)
        wait_for(lambda: held() == 10 and waiting(running) == 0, 30, "the first windows to be known as stored")
        influx.kill()
        publish(10, 40)
        wait_for(lambda: waiting(running) == 30, 20, "30 windows to wait at the gateway")
        wait_for(lambda: "nothing is acknowledged" in running.log("ingest"), 30, "ingest to notice")
        assert waiting(running) == 30
        influx.start()
        wait_for(lambda: held() == 40 and waiting(running) == 0, 60, "everything to be stored")
        assert [p.poll() for p in running.processes.values()] == [None, None]
    link.close()
