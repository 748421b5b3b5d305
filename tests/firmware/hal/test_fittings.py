"""Ethernet and LED on the strict model of the board, and what the tools refuse before a board is flashed."""

import re
from pathlib import Path
from typing import Any

import pytest

from edge.tools import boards, node_config
from telemetry.errors import UsageError
from tests.conftest import ServerFactory
from tests.firmware.board_node import BoardNode
from tests.firmware.listener import Listener
from tests.servers import Mosquitto, wait_for

LAN8720 = {"phy": "lan8720", "mdc": 23, "mdio": 18, "address": 1, "power": 12}
W5500 = {
    "esp32": {"phy": "w5500", "sck": 14, "mosi": 13, "miso": 32, "cs": 15, "int": 27},
    "esp32s3": {"phy": "w5500", "sck": 12, "mosi": 11, "miso": 13, "cs": 10, "int": 14},
    "esp32c3": {"phy": "w5500", "sck": 4, "mosi": 6, "miso": 5, "cs": 7, "int": 1},
}
SENSOR = {"esp32": "pms5003", "esp32s3": "bme280", "esp32c3": "s0,pin=3"}


@pytest.mark.parametrize(("chip", "lan"), [("esp32", LAN8720), *W5500.items()])
def test_a_node_on_a_cable_delivers_and_names_a_cable_that_is_out(
    server: ServerFactory, tmp_path: Path, chip: str, lan: dict[str, Any]
) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, BoardNode(tmp_path / "board", chip, speed=5) as node:
        node.wire(SENSOR[chip])
        node.world["unplugged"] = True
        node.start(broker.port, wifi=None, lan=lan, interval_s=5, mqtt={"keepalive_s": 600})
        wait_for(lambda: "network: Ethernet: no link or no address" in node.console(), 30, node.console())
        node.change(unplugged=False)
        wait_for(lambda: "network: Ethernet: connected, address 127.0.0.1" in node.console(), 30, node.console())
        wait_for(lambda: [r for r in heard.records.values() if "uptime" not in r["values"]], 30, node.console())
    assert node.exits in ([], [-9])


@pytest.mark.parametrize(("fault", "lan"), [("no_chip", W5500["esp32s3"]), ("no_memory", None)])
def test_a_node_whose_network_cannot_be_set_up_samples_and_delivers_after_a_repair(
    server: ServerFactory, tmp_path: Path, fault: str, lan: dict[str, Any] | None
) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, BoardNode(tmp_path / "board", speed=5) as node:
        node.wire("scd41")
        node.world[fault] = True
        more: dict[str, Any] = {"wifi": None, "lan": lan} if lan else {}
        node.start(broker.port, interval_s=5, mqtt={"keepalive_s": 600}, **more)
        wait_for(lambda: "cannot be set up before the next start" in node.console(), 30, node.console())
        wait_for(lambda: "answers" in node.console(), 30, node.console())
        assert node.exits == []
        node.kill()
        node.change(**{fault: False})
        node.boot()
        wait_for(lambda: {r["head"]["boot"] for r in heard.with_values("co2")} >= {1, 2}, 40, node.console())


def test_a_full_nvs_costs_no_reading(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, BoardNode(tmp_path / "board", speed=5, nvs_full=True) as node:
        node.wire("bme280")
        node.start(broker.port, interval_s=5, mqtt={"keepalive_s": 600})
        wait_for(lambda: heard.with_values("temperature"), 30, node.console())
        assert node.exits == []


def test_a_sensor_at_the_uart_of_the_console_is_named_and_the_others_are_read(
    server: ServerFactory, tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, BoardNode(tmp_path / "board", speed=5) as node:
        node.wire("bme280")
        node.sensors.append({"driver": "pms5003", "port": 0, "rx": 44, "tx": 43, "sleep": False})
        node.start(broker.port, interval_s=5, mqtt={"keepalive_s": 600})
        wait_for(lambda: heard.with_values("temperature"), 30, node.console())
        wait_for(lambda: "UART 0 is the console" in node.console(), 30, node.console())
        assert node.exits == []


def test_a_lan8720_on_a_chip_without_ethernet_is_refused_by_model_and_tools(tmp_path: Path) -> None:
    with BoardNode(tmp_path / "board", "esp32s3") as node:
        node.wire("bme280")
        node.start(1, wifi=None, lan={**LAN8720, "mdc": 1, "mdio": 2, "power": 4})
        wait_for(lambda: "invalid phy type" in node.console(), 20, "the network's refusal")
    for chip in ("esp32s3", "esp32c3"):
        assert "has no Ethernet interface for a LAN8720" in refused(chip, lan=LAN8720)


def refused(chip: str, **more: Any) -> str:
    """What `node config` says to a configuration; empty where it accepts it."""
    conf = {
        "city": "demo", "device": "n1", "mqtt": {"host": "h"}, "board": chip,
        "sensors": [{"driver": "s0", "pin": boards.board(chip).pulse[0]}], **more,
    }  # fmt: skip
    try:
        node_config.check(conf, "node.json")
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("chip", "more", "says"),
    [
        ("esp32", {"lan": {"phy": "lan8270", "mdc": 23, "mdio": 18}}, "did you mean 'lan8720'"),
        ("esp32", {"lan": {"phy": "lan8720", "mdc": 23}}, "needs 'mdio'"),
        ("esp32", {"lan": {**LAN8720, "cs": 5}}, "does not have 'cs'"),
        ("esp32", {"lan": {**LAN8720, "mdc": 34}}, "GPIO34 is only an input"),
        ("esp32", {"lan": {**LAN8720, "power": 21}}, "Ethernet uses this pin"),
        ("esp32", {"lan": LAN8720, "led": 22}, "Ethernet uses this pin"),
        ("esp32", {"lan": LAN8720, "led": 23}, "lan.mdc = 23: led has this pin"),
        ("esp32s3", {"led": 22}, "does not have GPIO22"),
        ("esp32s3", {"led": 21}, "s0 has this pin"),
        ("esp32", {"button": 34}, "no pull-up"),
        ("esp32c3", {"battery": {"pin": 10}}, "cannot measure voltages"),
    ],
)
def test_fittings_that_a_board_cannot_have_are_refused(chip: str, more: dict[str, Any], says: str) -> None:
    assert says in refused(chip, **more)


def test_fittings_that_fit_are_accepted() -> None:
    assert refused("esp32", lan=LAN8720, led=2, button=5) == ""
    assert all(refused(chip, lan=lan) == "" for chip, lan in W5500.items())


def flashes(console: str) -> set[int]:
    """How many of eight ticks of the LED were lit, at the end of the console."""
    levels = [int(level) for level in re.findall(r"PIN 2 ([01])", console)]
    return {sum(levels[-8:])} if len(levels) > 16 and sum(levels[-8:]) == sum(levels[-16:-8]) else set()


def test_the_led_shows_network_broker_and_neither(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with BoardNode(tmp_path / "board", "esp32s3", speed=20, traced=[2]) as node:
        node.wire("bme280")
        node.start(broker.port, led=2, interval_s=5, mqtt={"keepalive_s": 60})
        wait_for(lambda: flashes(node.console()) == {1}, 60, "one flash: connected")
        broker.stop()
        wait_for(lambda: flashes(node.console()) == {2}, 60, "two flashes: no broker")
        node.change(wifi={"ssid": "home", "password": "secret", "away": True})
        wait_for(lambda: flashes(node.console()) == {3}, 60, "three flashes: no network")
