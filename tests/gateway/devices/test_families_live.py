"""Every device family by three lines of configuration: its payload through the real door, as far as a KPI.

Mosquitto, HTTP, WebSocket, pseudo-terminals and a Modbus TCP server; one ingest for all. The families that need
nothing but their name and their city come in at one gateway, a city for each; those that need a port, a folder or
names at a second one, which has one city, so that their sources leave it out. The payload and the readings beside it
are a case of the family. The table (family, door, lines, seconds from sending to the KPI) is printed, and written
where CITYVITALS_TABLE names a file.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import paho.mqtt.client as paho
import pytest
import tomlkit
import websockets
from paho.mqtt.enums import CallbackAPIVersion

from adapters.sqlite.store import SqliteStore
from cityvitals.discover import _KINDS
from gateway.devices import FOLDER, families, messages
from registry.settings import SourceSettings
from simulators.hardware.modbus_line import ModbusLine
from telemetry.quantities import QUANTITIES
from telemetry.series import SeriesTable
from telemetry.stamps import read_stamp
from telemetry.topics import matcher, valid_id
from telemetry.windows import HOUR, MINUTE, window_start
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway.devices.test_families import payload_of
from tests.gateway.doors.test_wires import Bytes
from tests.processes import free_port, wait_for
from tests.servers import Mosquitto

pytestmark = pytest.mark.timeout(600)


ONE_CITY = "one-city"
OF_KPIS = frozenset(
    ["energy_total", "power", "session_energy", "connector_state", "pm2_5", "pm10", "no2", "o3", "so2", "laeq"]
)


class Live(NamedTuple):
    """A family, the case that is sent, its source as configured, and the door."""

    family: str
    case: dict[str, Any]
    source: dict[str, Any]
    door: str

    @property
    def has_more(self) -> bool:
        """Whether the source needs more than family and city; it leaves the city out."""
        return "city" not in self.source and "family" in self.source and self.family != "cityvitals"

    @property
    def city(self) -> str:
        topic: str = self.case["topic"]
        if self.has_more:
            return ONE_CITY
        return topic.split("/")[2] if topic.startswith("cv/1/") else self.family.replace("_", "-")

    def at(self, topic: str) -> str:
        """Where a message is sent: the case's topic, below the prefix of its source."""
        if "prefix" not in self.source:
            return topic
        known = messages(SourceSettings.model_validate({**self.source, "prefix": None}))
        pattern = next(m.topic for m in known if matcher(m.topic)(topic) is not None)
        return f"{self.source['prefix']}/{topic if pattern.startswith('{') else topic.partition('/')[2]}"

    @property
    def topic(self) -> str:
        """Where the payload of the case is sent."""
        return self.at(self.case["topic"])

    @property
    def of_kpis(self) -> bool:
        """Whether a KPI uses what the family's cases hold."""
        return any(r[1] in OF_KPIS for r in self.case["readings"])

    @property
    def lines(self) -> int:
        """Of configuration, without what only keeps the families of this test apart."""
        return 1 + len([k for k in self.source if k not in ("prefix", "every_s", "parity")])


def chosen(name: str, folder: Path) -> Live:
    found = tomllib.loads((FOLDER / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    useful = [c for c in found if c.get("readings")]
    case = max(
        useful,
        key=lambda c: (any(r[1] in OF_KPIS for r in c["readings"]), "before" not in c, -len(c.get("source", {}))),
    )
    if name == "ocpp":  # the same call as a station makes it; its connector is the device
        readings = [[f"{device}-1", *rest] for device, *rest in case["readings"]]
        case = {**case, "door": "ocpp", "topic": case["topic"].replace("ocpp/", "station/"), "readings": readings}
    door = case.get("door", "mqtt")
    source = {"family": name, **case.get("source", {})}
    # A device whose own name can be its id needs no other.
    senders = {i: sender for sender, i in source.pop("devices", {}).items() if "*" not in sender and valid_id(sender)}
    if door in ("serial", "modbus"):
        del source["device"]
        senders = {readings[0]: name.replace("_", "-") for readings in case["readings"]}
        # Pseudo-terminals have no parity.
        source |= {"port": str(folder / f"tty-{name}"), "every_s": 1, "parity": "N"}
    elif door == "file":
        source["folder"] = str(folder / "drop")
    case = {**case, "readings": [[senders.get(device, device), *rest] for device, *rest in case["readings"]]}
    if len(source) == 1 and not case["topic"].startswith("cv/1/"):
        source["city"] = name.replace("_", "-")
    if door == "mqtt" and "topic" not in source and not case["topic"].startswith("cv/1/"):
        source["prefix"] = name.replace("_", "-")
    return Live(name, case, source, door)


def city_file(city: str, lives: list[Live]) -> str:
    devices: dict[str, list[str]] = {}
    for device, quantity, *_ in [r for live in lives for r in live.case["readings"]]:
        devices.setdefault(device, []).append(quantity)
    rows = [
        {"id": d, "kind": next((k for q, k in _KINDS.items() if q in qs), "weather"), "quantities": sorted(set(qs))}
        for d, qs in devices.items()
    ]
    head = {"id": city, "name": city, "country": "DE", "timezone": "Europe/Berlin", "population": 1000}
    return tomlkit.dumps({"city": head, "rules": {"hour_capture": 0.0, "period_capture": 0.0}, "device": rows})


class Senders:
    """Sends each family's payload through its door."""

    def __init__(self, folder: Path, broker: Mosquitto, push: int, ocpp: int) -> None:
        self.folder, self.push, self.ocpp = folder, push, ocpp
        self.models: list[Any] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def send(self, live: Live) -> None:
        payload = payload_of(live.case)
        getattr(self, f"_{live.door}")(live, payload)

    def _mqtt(self, live: Live, payload: bytes) -> None:
        before = [(t, p.encode()) for t, p in live.case.get("before", [])]
        before += [(t, bytes.fromhex(p)) for t, p in live.case.get("before_hex", [])]
        for topic, sent in [*before, (live.case["topic"], payload)]:
            self._client.publish(live.at(topic), sent, qos=1).wait_for_publish(20)

    def _push(self, live: Live, payload: bytes) -> None:
        answer = httpx.post(f"http://127.0.0.1:{self.push}/{live.topic}", content=payload, timeout=30)
        assert answer.is_success, f"{live.family}: {answer.status_code} {answer.text}"

    def _ocpp(self, live: Live, payload: bytes) -> None:
        _, station, action = live.topic.split("/")

        async def call() -> None:
            url = f"ws://127.0.0.1:{self.ocpp}/{station}"
            async with websockets.connect(url, subprotocols=["ocpp1.6"]) as link:  # type: ignore[list-item]
                body = json.loads(payload)
                await link.send(json.dumps([2, "1", action, body[3] if isinstance(body, list) else body]))
                assert json.loads(await link.recv())[0] == 3

        asyncio.run(call())

    def _serial(self, live: Live, payload: bytes) -> None:
        self.models.append(Bytes(Path(live.source["port"]), payload, 1.0))
        self.models[-1].start()

    def _modbus(self, live: Live, payload: bytes) -> None:
        said = json.loads(payload)
        registers = dict.fromkeys(range(65535), 0) if said.get("models") else {}
        for _, first, words in said["blocks"]:
            registers |= {first - 12 + n: 0 for n in range(len(words) + 24) if first - 12 + n not in registers}
        for _, first, words in said["blocks"]:
            registers |= {first + n: word for n, word in enumerate(words)}
        for model, at in said.get("models", {}).items():
            registers |= {40000: 0x5375, 40001: 0x6E53, 40002: 1, 40003: at - 40004 if (at := int(at)) else 0}
            registers |= {at: int(model), at + 1: 200, at + 202: 0xFFFF, at + 203: 0}
        line = ModbusLine(Path(live.source["port"]), {1: registers})
        line.function = said["blocks"][0][0]
        self.models.append(line)
        line.start()

    def _file(self, live: Live, payload: bytes) -> None:
        rows = ["time,device,quantity,value,unit"]
        for record in json.loads(payload):
            device = live.topic.rpartition("/")[2]
            rows.append(f"{record['t']:.0f},{device},{record['n']},{record['v']},{record['u']}")
        Path(live.source["folder"], "export.csv").write_text("\n".join(rows) + "\n")

    def close(self) -> None:
        self._client.loop_stop()
        for model in self.models:
            model.stop()


def wrong(store: SqliteStore, live: Live, sent: int) -> list[str]:
    """The expected readings that no window of the store holds. `sent`: ms."""
    table = SeriesTable()
    windows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for p in store.partials(live.city, "window", 0, 1 << 52, table):
        for series, at, low, high in zip(
            p.series.tolist(), p.start.tolist(), p.min.tolist(), p.max.tolist(), strict=True
        ):
            windows.setdefault((table[series].device, table[series].quantity), []).append((at, low, high))
    missing = []
    for device, quantity, value, when in live.case["readings"]:
        held = windows.get((device, quantity), [])
        if when == "arrival":
            there = [w for w in held if w[0] >= window_start(sent, MINUTE)]
        else:
            there = [w for w in held if w[0] == window_start(read_stamp(when), MINUTE)]
        if not any(low - 1e-6 <= value <= high + 1e-6 for _, low, high in there):
            missing.append(f"{live.family}: {device} {quantity} {value} {QUANTITIES[quantity].unit} at {when}; {held}")
    return missing


def configure(chain: Chain, second: Chain, lives: list[Live], push: int, ocpp: int) -> None:
    """The files of the cities, and a source of each family. `second`: the gateway that has one city."""
    settings = tomllib.loads(chain.config.read_text())
    for city in {live.city: None for live in lives}:
        (chain.config.parent / f"city-{city}.toml").write_text(city_file(city, [x for x in lives if x.city == city]))
    usual, more = [x for x in lives if not x.has_more], [x for x in lives if x.has_more]
    files = [f"city-{city}.toml" for city in {live.city: None for live in usual}]
    first = {**settings, "city_files": [*files, f"city-{ONE_CITY}.toml"]}  # ingest needs them all
    gateway = settings["gateway"] | {"push": {"port": push}, "ocpp": {"port": ocpp}}
    chain.config.write_text(tomlkit.dumps({**first, "gateway": gateway | {"source": [x.source for x in usual]}}))
    gateway = settings["gateway"] | {"id": "gw-2", "buffer": str(second.folder / "gateway.db")}
    gateway["source"] = [x.source for x in more]
    one = {**settings, "city_files": [str(chain.config.parent / f"city-{ONE_CITY}.toml")], "gateway": gateway}
    second.config.write_text(tomlkit.dumps(one))


def wait_for_right_windows(store: SqliteStore, lives: list[Live], sent: dict[str, float]) -> None:
    problems: list[str] = []

    def all_right() -> bool:
        problems[:] = [p for live in lives for p in wrong(store, live, round(sent[live.family] * 1000))]
        return not problems

    try:
        wait_for(all_right, 30, "every reading in the window of its time")
    finally:
        print("\n".join(problems))


def show_table(lives: list[Live], seen: dict[str, float]) -> None:
    """Print it, and write it to the file CITYVITALS_TABLE where that is given."""
    table = ["| family | door | lines | seconds |", "|---|---|---|---|"]
    table += [
        f"| `{x.family}` | {x.door} | {x.lines} | {seen[x.family]:.1f}{'' if x.of_kpis else ' (window)'} |"
        for x in lives
    ]
    print("\n".join(table))
    if os.environ.get("CITYVITALS_TABLE"):
        Path(os.environ["CITYVITALS_TABLE"]).write_text("\n".join(table) + "\n")


def test_every_family_reaches_a_kpi(server: ServerFactory, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    lives = [chosen(name, tmp_path) for name in families()]
    broker, push, ocpp = server(Mosquitto), free_port(), free_port()
    chain = Chain(tmp_path, tmp_path / "x.toml", broker.port, f"sqlite:///{tmp_path}/store.db")
    (tmp_path / "second").mkdir()
    second = Chain(tmp_path / "second", tmp_path / "x.toml", broker.port, chain.store)
    configure(chain, second, lives, push, ocpp)
    senders = Senders(tmp_path, broker, push, ocpp)
    try:
        for gateway in (chain, second):
            gateway.run("gateway")
        chain.run("ingest")
        for gateway in (chain, second):
            wait_for(lambda: gateway.log("gateway").count("connected to") > 1, 60, "both links of the gateway")  # noqa: B023
        since, sent, seen = round(time.time() * 1000) - HOUR, dict[str, float](), dict[str, float]()
        for live in lives:
            sent[live.family] = time.time()
            senders.send(live)
        store = SqliteStore.from_url(chain.store)

        def arrived() -> bool:
            for live in lives:
                kpis = store.kpis_changed(live.city, since)
                found = any(k.kpi.n_devices for k in kpis) and not (live.has_more and wrong(store, live, since))
                if live.family not in seen and (found or not (live.of_kpis or wrong(store, live, since))):
                    seen[live.family] = time.time() - sent[live.family]
            return len(seen) == len(lives)

        try:
            wait_for(arrived, 120, "a KPI of every family")
        finally:
            print("no KPI yet:", sorted(set(families()) - set(seen)))
        wait_for_right_windows(store, lives, sent)
        show_table(lives, seen)
    finally:
        senders.close()
        chain.stop()
        second.stop()
