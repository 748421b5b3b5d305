"""From a device that sends to its KPI by what `discover` prints: its lines are pasted, nothing is written by hand.

The payload of a case of each family that comes by MQTT is published again and again, on its own topic at a broker of
its own, while `discover` listens for two seconds; then gateway and ingest are started with the printed lines. The time
counts from the start of `discover`. With CITYVITALS_LONG=1 for all of them; the table (family, lines, seconds) is
printed, and added to the file that CITYVITALS_DISCOVERED names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.sqlite.store import SqliteStore
from gateway.devices import FOLDER, families
from telemetry.series import SeriesTable
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway.devices.test_families import payload_of
from tests.gateway.devices.test_families_live import OF_KPIS
from tests.processes import wait_for
from tests.servers import Mosquitto

pytestmark = pytest.mark.timeout(300)
FEW = ("homie", "tasmota")
CITY = '[city]\nid = "town"\nname = "Town"\ncountry = "DE"\ntimezone = "Europe/Berlin"\npopulation = 1000\n'
RULES = "[rules]\nhour_capture = 0.0\nperiod_capture = 0.0\n\n"


def case_of(name: str) -> dict[str, Any] | None:
    """The case of a family that is published: one that comes by MQTT and needs no further key."""
    found = tomllib.loads((FOLDER / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    useful = [
        case
        for case in found
        if case.get("readings") and case.get("door", "mqtt") == "mqtt" and not set(case.get("source", {})) - {"devices"}
    ]
    return max(useful, key=lambda c: (any(r[1] in OF_KPIS for r in c["readings"]), "before" not in c), default=None)


CASES = {name: case for name in families() if (case := case_of(name)) is not None}


class Device:
    """Publishes the messages of a case twice a second until it is stopped."""

    def __init__(self, broker: Mosquitto, case: dict[str, Any]) -> None:
        before = [(topic, text.encode()) for topic, text in case.get("before", [])]
        before += [(topic, bytes.fromhex(text)) for topic, text in case.get("before_hex", [])]
        self._messages = [*before, (case["topic"], payload_of(case))]
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", broker.port)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Device:
        self._client.loop_start()
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._over.wait(0.5):
            for topic, payload in self._messages:
                self._client.publish(topic, payload, qos=1).wait_for_publish(20)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)
        self._client.loop_stop()


def printed(chain: Chain) -> tuple[str, str]:
    """The lines of `discover` for cityvitals.toml, and for CITY.toml."""
    done = subprocess.run(
        [sys.executable, "-m", "cityvitals", "discover", "--config", str(chain.config), "--seconds", "2"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    sources, _, devices = done.stdout.partition("# cityvitals.toml\n")[2].partition("# CITY.toml\n")
    assert "[[gateway.source]]" in sources, done.stdout
    return sources, devices


def values(store: SqliteStore) -> set[tuple[str, float]]:
    """Quantity and value of all windows of one reading, or of several that are the same."""
    table = SeriesTable()
    found = set[tuple[str, float]]()
    for p in store.partials("town", "window", 0, 1 << 52, table):
        ends = zip(p.series.tolist(), p.min.tolist(), p.max.tolist(), strict=True)
        found |= {(table[s].quantity, round(low, 6)) for s, low, high in ends if low == high}
    return found


@pytest.mark.parametrize("name", sorted(CASES) if os.environ.get("CITYVITALS_LONG") else FEW)
def test_the_lines_of_discover_bring_a_device_to_its_kpi(name: str, server: ServerFactory, tmp_path: Path) -> None:
    case, broker = CASES[name], server(Mosquitto)
    assert isinstance(broker, Mosquitto)
    city = tmp_path / "town.toml"
    city.write_text(CITY + RULES)
    chain = Chain(tmp_path, city, broker.port, f"sqlite:///{tmp_path}/store.db")
    wanted = {(quantity, round(value, 6)) for _, quantity, value, _ in case["readings"]}
    of_kpis = any(quantity in OF_KPIS for quantity, _ in wanted)
    try:
        with Device(broker, case):
            began = time.time()
            sources, devices = printed(chain)
            chain.config.write_text(f"{chain.config.read_text()}\n{sources}")
            city.write_text(city.read_text() + devices)
            chain.run("gateway")
            chain.run("ingest")
            wait_for(lambda: Path(tmp_path, "store.db").exists(), 60, "the store")
            store = SqliteStore.from_url(chain.store)

            def arrived() -> bool:
                kpis = store.kpis_changed("town", round(began * 1000))
                return wanted <= values(store) and (not of_kpis or any(k.kpi.n_devices for k in kpis))

            wait_for(arrived, 60, f"{sorted(wanted)} in the store, and a KPI")
            seconds = time.time() - began
    finally:
        chain.stop()
    known = tomllib.loads(sources)["gateway"]["source"]
    assert name in [source.get("family") for source in known], sources
    lines = 1 + len(next(source for source in known if source.get("family") == name))
    row = f"| `{name}` | {lines} | {seconds:.1f}{'' if of_kpis else ' (window)'} |"
    print(row)
    if os.environ.get("CITYVITALS_DISCOVERED"):
        with Path(os.environ["CITYVITALS_DISCOVERED"]).open("a") as file:
            file.write(row + "\n")
