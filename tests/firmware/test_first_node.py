"""The air-quality node on real MicroPython, through a real broker."""

from pathlib import Path

import pytest

from tests.conftest import ServerFactory
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, wait_for


@pytest.mark.parametrize("bits", [64, 32])
def test_readings_of_both_sensors_reach_the_broker_as_senml(server: ServerFactory, tmp_path: Path, bits: int) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node", bits) as node:
        node.start("127.0.0.1", broker.port, "demo", "air-01")
        wait_for(lambda: len(heard.with_values("pm2_5", "temperature")) >= 2, 20, "two air records")
        first, second = heard.with_values("pm2_5", "temperature")[:2]
    assert first["values"] == {
        "pm1": 4,
        "pm2_5": 10,
        "pm10": 12,
        "temperature": pytest.approx(21.5, abs=0.01),
        "humidity": pytest.approx(45.0, abs=0.1),
        "pressure": pytest.approx(1013.25, abs=0.05),
    }
    assert first["head"]["boot"] == 1
    assert second["head"]["seq"] > first["head"]["seq"]
    assert first["head"]["tq"] == 0


def test_a_restarted_node_counts_its_boots_and_sends_only_what_was_not_acknowledged(
    server: ServerFactory, tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        node.start("127.0.0.1", broker.port, "demo", "air-01")
        wait_for(lambda: heard.with_values("pm2_5"), 20, "a record")
        node.kill()
        node.boot()
        wait_for(lambda: [r for r in heard.with_values("pm2_5") if r["head"]["boot"] == 2], 20, "a record of boot 2")
        states = [message["state"] for message in heard.on("/status")]
    assert states[0] == "online"
    assert {"online", "offline"} == set(states)
    assert heard.copies <= 10


def test_a_sensor_that_is_silent_is_missing_and_the_other_goes_on(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        node.air()
        node.pms.line.faults.silent = True
        node.start("127.0.0.1", broker.port, "demo", "air-01")
        record = wait_for(lambda: heard.with_values("temperature"), 20, "a record")[0]
    assert "pm2_5" not in record["values"]
