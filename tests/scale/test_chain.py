"""Commands `bridge`, `values`, `move`, `archive` with real Mosquitto and Kafka: killed in between, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")

from adapters.kafka.topics import Appender, Entry, Reader
from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from cityvitals.operation.doctor_log import engine_log
from ingest.core import Ingest
from registry.config import load_city
from registry.settings import LogSettings
from scale.job import CityJob
from scale.records import value_message, value_of
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.series import SeriesTable
from telemetry.windows import DAY, MINUTE
from telemetry.wire import decode
from tests.ingest.samples import METERED, T0, windows
from tests.processes import end, start, wait_for
from tests.scale.compare import Message
from tests.scale.servers import ENGINE, Kafka, is_there
from tests.scale.test_districts import Divided
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


ROOT = Path(__file__).parents[2]
READ = {
    "reader cityvitals-values": ("ok", "0 records of cityvitals.values are not stored yet"),
    "reader cityvitals-values-archive": ("ok", "0 records of cityvitals.log are not stored yet"),
}


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


def worked_on(kafka: Kafka, minutes: int, districts: int = 0) -> None:
    """The job in this process, until the day has so many windows: the log to the topic of values."""
    reader, to = Reader(kafka.address, "cityvitals.log", "job"), Appender(kafka.address, "cityvitals.values")
    take = divided(districts) if districts else undivided()
    found = list[float | None]()

    def done() -> bool:
        messages = [message for entry in reader.read(0.2) for message in take(entry.value)]
        to.append(Entry(*message) for message in messages)
        values = [value_of(value).kpi for _, value in messages]
        found.extend(v.value for v in values if v.code == METERED and v.kind == "day")
        return minutes in found

    try:
        wait_for(done, 60, "the windows in the log")
    finally:
        reader.close()


def undivided() -> Callable[[bytes], list[Message]]:
    """A record into messages of values."""
    job = CityJob("aba", {})
    return lambda record: [value_message(value) for value in job.take(record).values]


def divided(districts: int) -> Callable[[bytes], list[Message]]:
    """The same by way of districts."""
    job = Divided("aba", districts)

    def take(record: bytes) -> list[Message]:
        job.take(record)
        found, job.written = job.written, []
        return found

    return take


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
        return start(command, log=tmp_path / f"{name}.log", cwd=ROOT)

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


@pytest.mark.timeout(900)
@pytest.mark.parametrize("districts", [0, 3])
def test_a_city_moves_to_the_engine_and_back_without_a_changed_bit(
    kafka: Kafka, mosquitto: Mosquitto, tmp_path: Path, districts: int
) -> None:
    place = Place(tmp_path, mosquitto.port, kafka.address)
    gateway = Gateway(mosquitto.port)
    try:
        with place.running("ingest"):
            gateway.send(1, 2, 3)
            wait_for(lambda: metered(place.store) == 3.0, 60, "the value of the ingest")
        before = stored(place.store)
        assert "5 records of aba are in Kafka" in place.command("move", "aba")
        with place.running("bridge", "values", "archive"):
            unread = ("unknown", "has not read cityvitals.values yet")
            wait_for(lambda: findings(kafka.address).get("reader cityvitals-values") == unread, 60, "doctor")
            gateway.send(4, 5)
            worked_on(kafka, 5, districts)
            wait_for(lambda: metered(place.store) == 5.0, 60, "the value in the store")
            wait_for(lambda: READ.items() <= findings(kafka.address).items(), 60, "doctor")
        assert minutes(place.store) == [1, 2, 3, 4, 5]
        on_engine = stored(place.store)
        assert place.underived() == {"aba"}
        with place.running("ingest"):
            wait_for(lambda: not place.underived(), 60, "the first start of the ingest")
            assert stored(place.store) == on_engine, "no value, revision or time of a change differs"
            gateway.send(6)
            wait_for(lambda: metered(place.store) == 6.0, 60, "the value of the ingest")
    finally:
        gateway.close()
    assert len(before) > 3
    assert stored(place.store).keys() >= on_engine.keys() >= before.keys()
    stayed = Ingest(SqliteStore(tmp_path / "stayed.db"))
    served = stayed.add_city(load_city(tmp_path / "aba.toml"), MINUTE)
    stayed.take("aba", decode(windows(1, 2, 3, 4, 5, 6), stayed.table)[2])
    served.derive(max(value.updated for value in stored(place.store).values()))
    assert plain(stored(place.store)) == plain(stored(tmp_path / "stayed.db"))


class Place:
    """The folder of one installation: its settings, its store and its commands."""

    def __init__(self, folder: Path, broker: int, kafka: str) -> None:
        self._folder, self.store, self._config = folder, folder / "store.db", folder / "cityvitals.toml"
        (folder / "aba.toml").write_text(CITY)
        self._config.write_text(CONFIG.format(port=broker, folder=folder, kafka=kafka))

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cityvitals", *words, "--config", str(self._config)]

    def command(self, *words: str) -> str:
        """What a command prints, when it has ended."""
        done = subprocess.run(self._words(*words), cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)
        return done.stdout

    def underived(self) -> set[str]:
        """Cities whose values the next start of the ingest derives from everything."""
        rejects = Rejects.open(self._folder / "rejects.db")
        try:
            return set(rejects.underived())
        finally:
            rejects.db.close()

    @contextmanager
    def running(self, *names: str) -> Iterator[None]:
        """Services, the first of which is at the broker when they are entered. They end in an orderly way."""
        log = self._folder / f"{names[0]}.log"
        log.unlink(missing_ok=True)
        started = [start(self._words(n), log=self._folder / f"{n}.log", cwd=ROOT) for n in names]
        try:
            wait_for(lambda: log.exists() and "connected to" in log.read_text(), 60, f"{names[0]} at the broker")
            yield
        finally:
            for process in started:
                end(process)


def stored(store: Path) -> dict[tuple[str, str, str, str, int], StoredKpi]:
    """All values of the city, with the times of their changes."""
    return {value.kpi.identity: value for value in SqliteStore(store).kpis(KpiQuery("aba"))}


def plain(values: dict[tuple[str, str, str, str, int], StoredKpi]) -> list[KpiValue]:
    """Without the revision, which counts the moments at which values were derived."""
    return [msgspec.structs.replace(value.kpi, revision=1) for _, value in sorted(values.items())]


def findings(brokers: str) -> dict[str, tuple[str, str]]:
    """What doctor says of Kafka, by what it is about."""
    return {f.what: (f.verdict, f.advice) for f in engine_log(LogSettings(brokers=brokers))}


def minutes(store: Path) -> list[int]:
    """After T0, of the windows in the store."""
    found = SqliteStore(store).partials("aba", "window", T0, T0 + DAY, SeriesTable())
    return [(t - T0) // MINUTE for part in found for t in part.start.tolist()]
