"""The page "Connect a device": its commands run against a real broker, a gateway and a store, and give what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from adapters.sqlite.store import SqliteStore
from telemetry.series import SeriesTable
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway.doors.door_bench import closed_port
from tests.processes import wait_for
from tests.servers import Mosquitto

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "how-to" / "connect-a-device.md"
CITY = '[city]\nid = "town"\nname = "Town"\ncountry = "DE"\ntimezone = "Europe/Berlin"\n\n'


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


def run(*arguments: str, **options: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cityvitals", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        **options,
    )  # type: ignore[call-overload]
    return str(done.stdout)


def test_the_page_leads_from_a_device_to_its_indicator(tmp_path: Path, server: ServerFactory) -> None:
    broker = server(Mosquitto)
    assert isinstance(broker, Mosquitto)
    devices, sources, *_ = blocks("toml")
    push = closed_port()
    city = tmp_path / "town.toml"
    city.write_text(CITY + devices)
    chain = Chain(tmp_path, city, broker.port, f"sqlite:///{tmp_path}/city.db")
    chain.config.write_text(chain.config.read_text() + sources.replace("8090", str(push)))
    try:
        chain.run("gateway")
        chain.run("ingest")
        wait_for(lambda: chain.log("gateway").count("connected to") > 1, 60, "both links of the gateway")
        [commands] = blocks("sh")
        script = commands.replace("1883", str(broker.port)).replace("8090", str(push))
        subprocess.run(["sh", "-ec", script], check=True, capture_output=True, timeout=60)
        store = SqliteStore.from_url(chain.store)

        def arrived() -> set[str]:
            table = SeriesTable()
            parts = list(store.partials("town", "window", 0, 1 << 52, table))
            return {f"{table[s].device} {table[s].quantity}" for p in parts for s in p.series.tolist()}

        wanted = {"plug-7 energy_total", "plug-7 power", "esp8266-1234 pm2_5", "esp8266-1234 pm10"}
        wait_for(lambda: wanted <= arrived(), 60, "the readings of the page in the store")
        [last] = re.findall(r"kpi show (.*)", PAGE.read_text())
        command = last.replace("sqlite:///city.db", chain.store).split()

        def shown() -> list[float | None]:
            return [row["value"] for row in json.loads(run("kpi", "show", *command, "--format", "json"))]

        # The windows are in the store before the values that are derived from them.
        wait_for(lambda: shown() != [None], 60, "a value of the indicator")
        assert shown() == [0.5]
    finally:
        chain.stop()


def test_discover_names_the_family_and_the_lines(tmp_path: Path, server: ServerFactory) -> None:
    broker = server(Mosquitto)
    assert isinstance(broker, Mosquitto)
    city = tmp_path / "town.toml"
    city.write_text(CITY + blocks("toml")[0])
    chain = Chain(tmp_path, city, broker.port, f"sqlite:///{tmp_path}/city.db")
    publish = ["mosquitto_pub", "-h", broker.host, "-p", str(broker.port), "-r", "-t"]
    sent = {
        "tele/plug-7/SENSOR": '{"Time":"2025-11-20T11:00:00","ENERGY":{"Total":312.604,"Power":148}}',
        "zigbee2mqtt/Living Room": '{"temperature":21.5}',
        "other/thing": "hello",
    }
    for topic, payload in sent.items():
        subprocess.run([*publish, topic, "-m", payload], check=True, timeout=20)
    text = run("discover", "--config", str(chain.config), "--seconds", "2")
    assert re.search(r"tasmota +plug-7 +registered", text)
    assert re.search(r"zigbee2mqtt +Living-Room +not registered", text)
    assert "energy_total           312.604 kWh" in text
    assert 'devices = {"Living Room" = "Living-Room"}' in text
    assert "other/thing (1)" in text
    assert 'id = "Living-Room"\nkind = "weather"\nquantities = ["temperature"]' in text


def test_a_message_of_unknown_kind_is_said_to_be_that() -> None:
    text = run("doctor", "--payload", "-", input="hello")
    assert "No device family is recognised" in text
