"""Commands `bridge`, `values`, `move`, `archive` with real Mosquitto and Kafka: killed in between, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")

from adapters.kafka.topics import Appender, Entry, Reader
from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.sqlite.store import SqliteStore
from cityvitals.operation.doctor_log import engine_log
from ingest.core import Ingest
from registry.config import load_city
from registry.settings import LogSettings
from scale.job import CityJob
from scale.records import value_message
from telemetry.kpi_value import KpiQuery
from telemetry.series import SeriesTable
from telemetry.windows import DAY, MINUTE
from telemetry.wire import decode
from tests.ingest.samples import METERED, NOW, T0, windows
from tests.processes import end, start, wait_for
from tests.scale.servers import ENGINE, Kafka, is_there
from tests.scale.topics import create
from tests.servers import Mosquitto

pytestmark = pytest.mark.skipif(not is_there(), reason=f"no Kafka in {ENGINE}: tools/get-engine installs it")
CITY = """[city]
id = "aba"
name = "Aba"
country = "NG"
timezone = "Africa/Lagos"
[rules]
period_capture = 0.0
[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_delta"]
"""
CONFIG = """city_files = ["aba.toml"]
[ingest]
id = "bridge-of-test"
topic = "cv/1/aba/+/windows"
broker.url = "mqtt://127.0.0.1:{port}"
rejects = "{folder}/rejects.db"
[log]
brokers = "{kafka}"
tick_s = 0.2
[store]
url = "sqlite:///{folder}/store.db"
"""


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Kafka]:
    server = Kafka(tmp_path / "kafka")
    try:
        create(server.address, "cityvitals.log", "cityvitals.values")
        yield server
    finally:
        server.close()


class Gateway:
    """Publishes windows until there is a receipt for each."""

    def __init__(self, port: int) -> None:
        self._link = Link(Broker("127.0.0.1", port), "gateway-of-test", ["cv/1/aba/gw/stored"])
        self._confirmed: set[int] = set()
        wait_for(lambda: self._step() or self._link.connected, 30, "the broker")

    def send(self, *numbers: int) -> None:
        """A minute of 1 kWh for each number; returns when all are confirmed."""
        for number in numbers:
            self._link.publish("cv/1/aba/gw/windows", windows(number, number=number))
        wait_for(lambda: self._step() or set(numbers) <= self._confirmed, 60, "receipts")

    def _step(self) -> bool:
        for message in self._link.receive(0.05):
            self._confirmed |= set(json.loads(message.payload))
            self._link.ack([message])
        return False

    def close(self) -> None:
        self._link.close()


def worked_on(kafka: Kafka, minutes: int) -> None:
    """The job in this process, until the day has so many windows: the log to the topic of values."""
    reader, to = Reader(kafka.address, "cityvitals.log", "job"), Appender(kafka.address, "cityvitals.values")
    job, found = CityJob("aba", {}), list[float | None]()

    def done() -> bool:
        values = [value for entry in reader.read(0.2) for value in job.take(entry.value).values]
        to.append(Entry(*value_message(value)) for value in values)
        found.extend(v.kpi.value for v in values if v.kpi.code == METERED and v.kpi.kind == "day")
        return minutes in found

    try:
        wait_for(done, 60, "the windows in the log")
    finally:
        reader.close()


def metered(store: Path) -> float | None:
    if not store.exists():
        return None
    found = SqliteStore(store).kpis(KpiQuery("aba", kinds=["day"], codes=[METERED]))
    return found[0].kpi.value if found else None


@pytest.mark.timeout(600)
def test_windows_reach_the_store_by_way_of_kafka_also_when_everything_is_killed(
    kafka: Kafka, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "aba.toml").write_text(CITY)
    config = tmp_path / "cityvitals.toml"
    config.write_text(CONFIG.format(port=mosquitto.port, folder=tmp_path, kafka=kafka.address))

    def run(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "cityvitals", name, "--config", str(config)]
        return start(command, log=tmp_path / f"{name}.log", cwd=Path(__file__).parents[2])

    bridge, values = run("bridge"), run("values")
    gateway = Gateway(mosquitto.port)
    try:
        # Only from its first connection on does the broker keep messages for the bridge.
        wait_for(lambda: "connected to" in (tmp_path / "bridge.log").read_text(), 60, "the bridge at the broker")
        gateway.send(1, 2, 3)
        kafka.kill()
        bridge.kill()
        values.kill()
        kafka.start()
        bridge, values = run("bridge"), run("values")
        gateway.send(4, 5)
        worked_on(kafka, 5)
        wait_for(lambda: metered(tmp_path / "store.db") == 5.0, 60, "the value in the store")
    finally:
        gateway.close()
        for process in (bridge, values):
            end(process)
    assert metered(tmp_path / "store.db") == 5.0


@pytest.mark.timeout(600)
def test_a_city_moves_to_the_log_and_its_windows_come_back(kafka: Kafka, mosquitto: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "aba.toml").write_text(CITY)
    config = tmp_path / "cityvitals.toml"
    config.write_text(CONFIG.format(port=mosquitto.port, folder=tmp_path, kafka=kafka.address))
    store = SqliteStore(tmp_path / "store.db")
    ingest = Ingest(store)
    served = ingest.add_city(load_city(tmp_path / "aba.toml"), MINUTE)
    ingest.take("aba", decode(windows(1, 2, 3), ingest.table)[2])
    served.derive(NOW)
    before = {v.kpi.identity: v for v in store.kpis(KpiQuery("aba"))}
    store.close()

    def command(*words: str) -> list[str]:
        return [sys.executable, "-m", "cityvitals", *words, "--config", str(config)]

    root = Path(__file__).parents[2]
    words = command("move", "aba")
    done = subprocess.run(words, cwd=root, check=True, capture_output=True, text=True, timeout=120)
    assert "5 records of aba are in Kafka" in done.stdout
    running = [start(command(n), log=tmp_path / f"{n}.log", cwd=root) for n in ("bridge", "values", "archive")]
    gateway = Gateway(mosquitto.port)
    try:
        wait_for(lambda: "connected to" in (tmp_path / "bridge.log").read_text(), 60, "the bridge at the broker")
        unread = ("unknown", "has not read cityvitals.values yet")
        wait_for(lambda: findings(kafka.address).get("reader cityvitals-values") == unread, 60, "doctor")
        gateway.send(4, 5)
        worked_on(kafka, 5)
        wait_for(lambda: metered(tmp_path / "store.db") == 5.0, 60, "the value in the store")
        wait_for(lambda: minutes(tmp_path / "store.db") == [1, 2, 3, 4, 5], 60, "the windows in the store")
        read = ("ok", "0 records of cityvitals.values are not stored yet")
        wait_for(lambda: findings(kafka.address).get("reader cityvitals-values") == read, 60, "doctor")
    finally:
        gateway.close()
        for process in running:
            end(process)
    assert len(before) > 3
    assert {v.kpi.identity for v in SqliteStore(tmp_path / "store.db").kpis(KpiQuery("aba"))} >= set(before)


def findings(brokers: str) -> dict[str, tuple[str, str]]:
    """What doctor says of Kafka, by what it is about."""
    return {f.what: (f.verdict, f.advice) for f in engine_log(LogSettings(brokers=brokers))}


def minutes(store: Path) -> list[int]:
    """After T0, of the windows in the store."""
    found = SqliteStore(store).partials("aba", "window", T0, T0 + DAY, SeriesTable())
    return [(t - T0) // MINUTE for part in found for t in part.start.tolist()]
