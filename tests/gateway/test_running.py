"""The gateway between real brokers: what is away comes back, what was killed starts again, and nothing is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, Message
from adapters.sqlite.blocks import readable
from adapters.sqlite.store import SqliteStore
from cityvitals.clock import now_ms
from gateway.service import Gateway
from simulators.publisher import Publisher
from telemetry.series import SeriesTable
from telemetry.windows import DAY
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway import cores
from tests.processes import end, wait_for
from tests.replay.cli import here
from tests.servers import Mosquitto

CITY = """
[city]
id = "aba"
name = "Aba"
country = "NG"
timezone = "Africa/Lagos"

[[device]]
id = "s1"
kind = "air_reference"
quantities = ["no2"]
"""
T0 = 1_709_294_400


class Bench:
    """An edge broker, a hub broker, a chain between them whose processes the test starts, and a sender."""

    def __init__(self, folder: Path, edge: Mosquitto, hub: Mosquitto) -> None:
        city = folder / "aba.toml"
        city.write_text(CITY)
        self.edge, self.hub = edge, hub
        self.store = f"sqlite:///{folder}/store.db"
        self.chain = Chain(folder, city, edge.port, self.store, hub.port)
        self._table = SeriesTable()

    def publish(self, *payloads: bytes, retain: bool = False, device: str = "s1") -> None:
        """Return once the edge broker has acknowledged them."""
        link = Link(Broker.parse(self.edge.url), "sender", session=False)
        publisher = Publisher(link)
        for payload in payloads:
            if retain:
                link.publish(f"cv/1/aba/{device}/data", payload, retain=True)
            publisher.send("aba", device, payload)
        publisher.settle()
        link.close()

    def held(self) -> int:
        """Readings of s1 that the store's windows stand for."""
        parts = SqliteStore.from_url(self.store).partials("aba", "window", 0, 1 << 52, self._table)
        return sum(
            n
            for p in parts
            for n, series in zip((p.n + p.flagged).tolist(), p.series.tolist(), strict=True)
            if self._table[series].device == "s1" and self._table[series].quantity == "no2"
        )

    def arrives(self, count: int) -> None:
        wait_for(lambda: self.held() >= count, 60, f"{count} readings in the store; it holds {self.held()}")
        assert self.held() == count

    def buffered(self) -> int:
        """Readings of s1 on the gateway's disk."""
        path = self.chain.folder / "gateway.db"
        if not path.exists():
            return 0
        sql = "SELECT count(*) FROM every_reading r JOIN buffer_series s ON s.id = r.series WHERE device = 's1'"
        with readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return int(db.execute(sql).fetchone()[0])


def reading(number: int) -> bytes:
    """The n-th minute's reading."""
    return msgspec.json.encode([{"n": "no2", "v": float(number % 50), "t": T0 + 60 * number}])


def numbered(first: int, last: int) -> list[bytes]:
    return [reading(n) for n in range(first, last)]


@pytest.fixture
def bench(server: ServerFactory, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, server(Mosquitto), server(Mosquitto))
    yield made
    made.chain.stop()


def subscribed(bench: Bench, *names: str) -> None:
    """Start processes and wait until they are connected, so that the broker keeps messages for them from now on."""
    for name in names:
        bench.chain.run(name)
    for name in names:
        wait_for(lambda: "connected to" in bench.chain.log(name), 30, f"{name} to connect")  # noqa: B023


def test_bad_messages_are_listed_and_the_good_ones_stored(bench: Bench) -> None:
    subscribed(bench, "gateway", "ingest")
    bad = [
        b"hello", b"\xff\xfe", b'{"n":"no2"}', b'[{"n":"noo2","v":1}]', b'[{"n":"no2","u":"lb","v":1}]',
        b'[{"n":"no2","v":NaN}]', b'[{"n":"no2","v":1e999}]', b'[{"n":"no2","v":1,"t":5}]',
        b'[{"n":"no2","v":1,"t":946684800}]', b'[{"n":"no2","v":1,"t":4102444800}]', b" " * 1_000_000, b"[" * 200_000,
        b'[{"n":"session_energy","v":1,"end":1e308}]', b'[{"n":"\\ud800","v":1}]',
    ]  # fmt: skip
    bench.publish(*[message for pair in zip(numbered(0, len(bad)), bad, strict=True) for message in pair])
    bench.arrives(len(bad))
    listed = here("rejects", "list", "--config", bench.chain.config)
    for reason in (
        "not JSON",
        "array",
        "'noo2'",
        "'lb'",
        "finite",
        "1970",
        "2000-01-01",
        "2100-01-01",
        "1000000 bytes",
    ):
        assert reason in listed, f"{reason}\n{listed}"
    assert bench.chain.processes["gateway"].poll() is None


def test_duplicate_and_retained_messages_count_once(bench: Bench) -> None:
    bench.publish(reading(0), retain=True)
    subscribed(bench, "gateway", "ingest")
    bench.publish(*numbered(0, 20), *numbered(0, 20), reading(20))
    bench.arrives(21)


def test_the_edge_broker_goes_away_and_comes_back(bench: Bench) -> None:
    subscribed(bench, "gateway", "ingest")
    bench.publish(*numbered(0, 5))
    bench.arrives(5)
    bench.edge.stop()
    bench.edge.start()
    bench.publish(*numbered(5, 9))
    bench.arrives(9)


def test_the_hub_is_away_while_readings_come(bench: Bench) -> None:
    subscribed(bench, "gateway", "ingest")
    bench.publish(*numbered(0, 3))
    bench.arrives(3)
    bench.hub.stop()
    bench.publish(*numbered(2, 50))
    wait_for(lambda: bench.buffered() == 50, 20, "the gateway to accept what it cannot send")
    assert bench.held() == 3
    bench.hub.start()
    bench.arrives(50)


def test_a_gateway_killed_between_accepting_and_sending_sends_after_its_restart(bench: Bench) -> None:
    bench.hub.stop()
    subscribed(bench, "gateway")
    bench.publish(*numbered(0, 40))
    wait_for(lambda: bench.buffered() == 40, 20, "the gateway to accept")
    process = bench.chain.processes["gateway"]
    process.kill()
    end(process)
    bench.publish(*numbered(40, 60))
    bench.hub.start()
    subscribed(bench, "ingest", "gateway")
    bench.arrives(60)


def test_ingest_killed_again_and_again_misses_nothing(bench: Bench) -> None:
    subscribed(bench, "gateway", "ingest")
    for round_ in range(3):
        bench.publish(*numbered(20 * round_, 20 * round_ + 10))
        process = bench.chain.processes["ingest"]
        process.kill()
        end(process)
        bench.publish(*numbered(20 * round_ + 10, 20 * round_ + 20))
        bench.chain.run("ingest")
    bench.arrives(60)


# -- in this process, so that the test can be in the way of the disk ---------------------------------------------------


def test_nothing_is_acknowledged_while_the_buffer_cannot_write(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    core = cores.make(tmp_path)
    core.buffer.db.execute("PRAGMA busy_timeout=0")
    links = [Link(Broker.parse(broker.url), f"gw-{n}", f) for n, f in (("in", [cores.SENML.filter]), ("up", []))]
    gateway = Gateway("gw", core, links[0], links[1], now_ms, flush_ms=50, keep_ms=30 * DAY)

    def until(condition: Callable[[], object]) -> None:
        def stepped() -> object:
            gateway.step(0.01)
            return condition()

        wait_for(stepped, 30, "the gateway")

    until(lambda: links[0].connected and links[1].connected)
    acknowledged: list[object] = []
    plain_ack = links[0].ack

    def record(messages: Sequence[Message]) -> None:
        acknowledged.extend(messages)
        plain_ack(messages)

    links[0].ack = record  # type: ignore[method-assign]
    other = sqlite3.connect(core.buffer.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sender = Publisher(Link(Broker.parse(broker.url), "sender", session=False))
    for n in range(30):
        sender.send("aba", "s1", reading(n))
    sender.settle()
    until(lambda: gateway._failures >= 2)
    assert acknowledged == []
    other.rollback()
    until(lambda: len(cores.readings(core)) == 30)
    until(lambda: len(acknowledged) >= 30)
    assert core.buffer.counters()["gw_stored"] == 30
    sender._link.close()
    for link in links:
        link.close()
