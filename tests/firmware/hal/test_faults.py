"""Faults of an installed node, on a strict board: it continues, loses nothing that it can keep, and reports the cause.

Each fault here stopped a node or falsified its readings before.
"""

import json
import re
import shutil
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ServerFactory
from tests.firmware.board_node import BoardNode
from tests.firmware.certificates import Authority
from tests.firmware.interpreters import REPO
from tests.firmware.listener import Listener
from tests.firmware.nameserver import NameServer
from tests.firmware.timeserver import TimeServer
from tests.servers import Mosquitto, free_port, wait_for


@pytest.fixture
def broker(server: ServerFactory) -> Mosquitto:
    made: Mosquitto = server(Mosquitto)
    return made


@pytest.fixture
def heard(broker: Mosquitto) -> Iterator[Listener]:
    with Listener(broker.port, "demo") as listener:
        yield listener


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BoardNode]:
    with BoardNode(tmp_path / "board", join_ms=100) as made:
        yield made


def says(node: BoardNode, text: str, timeout: float = 30) -> None:
    """Wait for a line on the console."""
    wait_for(lambda: re.search(text, node.console()), timeout, f"the console to say {text!r}: {node.console()[-1500:]}")


def gaps(heard: Listener) -> list[float]:
    """Seconds of uptime between two readings."""
    ups = [r["head"].get("up") or r["time"] for r in heard.with_values("temperature")]
    return [b - a for a, b in pairwise(ups)]


@pytest.mark.parametrize("host", ["broker.example", "127.0.0.1"])
def test_dead_name_servers_cost_no_reading_and_reset_nothing(
    broker: Mosquitto, heard: Listener, node: BoardNode, host: str
) -> None:
    with NameServer() as names:
        node.world["dns"] = [names.name]
        node.wire("bme280")
        node.start(broker.port, host, ntp=["a.example", "b.example"], watchdog_s=4, ntp_wait_s=0)
        wait_for(lambda: heard.with_values("temperature"), 20, "a reading")
        names.silent = True
        node.kill()
        node.boot()  # nothing is known by now but what is on flash

        def boot2() -> list[dict[str, Any]]:
            return [r for r in heard.with_values("temperature") if r["head"]["boot"] == 2]

        wait_for(lambda: len(boot2()) >= 10, 40, "ten readings with dead name servers")
        assert len(names.questions) > 2
    assert "BLOCKS" not in node.console()  # the library's own lookup was never used
    assert [code for code in node.exits if code != -9] == []
    seqs = sorted(r["head"]["seq"] for r in boot2())
    assert max(gaps(heard)[-8:]) < 2, gaps(heard)
    assert len(seqs) == len(set(seqs))


def test_a_name_that_nobody_knows_is_named_with_the_server_that_said_so(broker: Mosquitto, node: BoardNode) -> None:
    with NameServer() as names:
        names.unknown = True
        node.world["dns"] = [names.name]
        node.wire("bme280")
        node.start(broker.port, "nowhere.example")
        says(node, r"broker: name: name nowhere\.example: the name server 127\.0\.0\.1 does not have this name")


def test_a_wrong_wifi_password_is_named_and_the_second_network_is_used(
    broker: Mosquitto, heard: Listener, tmp_path: Path
) -> None:
    with BoardNode(tmp_path / "board", speed=20) as node:
        node.wire("bme280")
        wifi = {"ssid": "home", "password": "wrong", "ssid2": "other", "password2": "secret"}
        node.start(broker.port, wifi=wifi, mqtt={"keepalive_s": 600}, interval_s=10)
        says(node, "network: Wi-Fi 'home': 202 wrong password")
        node.change(wifi={"ssid": "other", "password": "secret"})
        says(node, "network: Wi-Fi 'home': 201 no access point")
        says(node, "network: Wi-Fi 'other': 1010 connected, address 127.0.0.1")
        wait_for(lambda: heard.with_values("temperature"), 20, "a reading")
        report = wait_for(lambda: [e for e in heard.on("/log") if "wrong password" in e["error"]], 20, "the log")
    assert report[0]["task"] == "network"


def test_a_slow_access_point_is_waited_for_and_not_asked_again(
    broker: Mosquitto, heard: Listener, node: BoardNode
) -> None:
    node.world["wifi"]["join_ms"] = 6000
    node.wire("bme280")
    node.start(broker.port)
    wait_for(lambda: heard.with_values("temperature"), 30, "a reading")
    assert "Internal Error" not in node.console()


def test_a_refused_user_is_named_with_the_code_of_the_connack(server: ServerFactory, node: BoardNode) -> None:
    broker = server(Mosquitto, anonymous=False)
    node.wire("bme280")
    node.start(broker.port, mqtt={"user": "n1", "password": "wrong"})
    says(node, "broker: CONNACK: refused with code 5: not authorised")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda ca: ca.unlink(), r"TLS: ca\.der is missing"),
        (lambda ca: ca.write_bytes(b"garbage"), r"TLS: ca\.der is not a certificate"),
    ],
)
def test_a_missing_or_damaged_authority_is_named_and_readings_are_kept(
    server: ServerFactory, node: BoardNode, tmp_path: Path, spoil: object, text: str
) -> None:
    ca, port = Authority(tmp_path / "ca"), free_port()
    ca.issue("server")
    ca.issue("n1")
    server(Mosquitto, extra=ca.listener(port))
    for name in ("ca.der", "n1.der", "n1.key.der"):
        (node.folder / name).write_bytes((ca.folder / name).read_bytes())
    spoil(node.folder / "ca.der")  # type: ignore[operator]
    node.wire("bme280")
    tls = {"ca": "ca.der", "cert": "n1.der", "key": "n1.key.der", "name": "broker"}
    node.start(port, mqtt={"tls": tls})
    says(node, text)
    assert node.exits == []


def test_a_wrong_authority_is_named(server: ServerFactory, node: BoardNode, tmp_path: Path) -> None:
    ca, other, port = Authority(tmp_path / "ca"), Authority(tmp_path / "other"), free_port()
    ca.issue("server")
    server(Mosquitto, extra=ca.listener(port))
    (node.folder / "ca.der").write_bytes((other.folder / "ca.der").read_bytes())
    node.wire("bme280")
    node.start(port, mqtt={"tls": {"ca": "ca.der", "name": "broker"}})
    says(node, "broker: TLS: The certificate is not correctly signed by the trusted CA")


def test_an_absent_sensor_is_named_with_bus_and_address_and_comes_back(
    broker: Mosquitto, heard: Listener, node: BoardNode
) -> None:
    options = node.wire("bme280")
    bus = node.devices[0]
    chip = bus.chips.pop(0x76)  # type: ignore[attr-defined]
    node.start(broker.port)
    says(node, f"bme280 I2C {options['bus']}.*: ")
    bus.chips[0x76] = chip  # type: ignore[attr-defined]
    says(node, "bme280 I2C 0.*: answers")
    wait_for(lambda: heard.with_values("temperature"), 20, "a reading")


LYING = {"twenty years ahead": 20 * 365 * 86400, "a year behind": -365 * 86400, "forty minutes ahead": 2400}


@pytest.mark.parametrize("lie", LYING)
def test_a_lying_time_server_costs_no_reading_and_no_certificate_check(
    server: ServerFactory, node: BoardNode, tmp_path: Path, lie: str
) -> None:
    ca, port = Authority(tmp_path / "ca"), free_port()
    ca.issue("server")
    ca.issue("n1", days=400)
    broker = server(Mosquitto, extra=ca.listener(port))
    for name in ("ca.der", "n1.der", "n1.key.der"):
        (node.folder / name).write_bytes((ca.folder / name).read_bytes())
    tls = {"ca": "ca.der", "cert": "n1.der", "key": "n1.key.der", "name": "broker"}
    now = int(time.time())
    node.world["valid"] = [now - 40 * 86400, now + 300 * 86400]  # what the broker's certificate allows
    node.wire("bme280")
    with Listener(broker.port, "demo") as heard, TimeServer(shift_s=LYING[lie]) as liar, TimeServer() as good:
        node.start(port, mqtt={"tls": tls}, ntp=[liar.name, good.name], ntp_wait_s=5)
        wait_for(lambda: len(heard.with_values("temperature")) >= 8, 40, f"readings: {node.console()[-800:]}")
        first = heard.with_values("temperature")
    assert node.exits == []
    assert [r["head"]["seq"] for r in first] == sorted({r["head"]["seq"] for r in first})
    assert "certificate validity" not in node.console()
    for record in first:  # the lies are 40 minutes and more
        assert record["head"]["tq"] != 2 or abs(record["time"] - record["arrival"]) < 600, record


def test_a_clock_that_jumped_over_a_reset_is_an_estimate_until_servers_confirm_it(
    broker: Mosquitto, heard: Listener, node: BoardNode
) -> None:
    node.wire("bme280")
    with TimeServer() as first, TimeServer() as second:
        node.start(broker.port, ntp=[first.name, second.name], ntp_wait_s=3)
        wait_for(lambda: [r for r in heard.with_values("temperature") if r["head"]["tq"] == 2], 30, "a true time")
        first.silent = second.silent = True
        node.kill()
        node.world["clock_ms"] = 2400 * 1000  # the RTC jumps by 40 minutes
        node.boot()

        def boot2(tq: int) -> list[dict[str, Any]]:
            heads = [(r, r["head"]) for r in heard.with_values("temperature")]
            return [r for r, head in heads if (head["boot"], head["tq"]) == (2, tq)]

        wait_for(lambda: len(boot2(1)) >= 2, 30, "estimated readings")
        assert not boot2(2)
        first.silent = second.silent = False
        wait_for(lambda: len(boot2(2)) >= 2, 40, f"confirmed readings: {node.console()[-600:]}")
        assert abs(boot2(2)[-1]["time"] - boot2(2)[-1]["arrival"]) < 600
    says(node, r"clock: (corrected|the estimate moved) by -2[34]\d{5} ms")


def test_an_unknown_quantity_costs_that_value_only_and_is_reported_once(
    broker: Mosquitto, heard: Listener, node: BoardNode
) -> None:
    node.wire("bme280")
    node.firmware = node.folder / "firmware"
    shutil.copytree(REPO / "edge/firmware", node.firmware / "firmware")
    (node.firmware / "firmware/sensors/odd.py").write_text(
        'KIND = "air"\nclass Driver:\n    def __init__(self, board, options): pass\n'
        '    async def read(self): return [("moonlight", 5, 0), ("co2", 400, 0), ("humidity", 4.5, 0)]\n'
    )
    node.sensors.append({"driver": "odd"})
    node.start(broker.port)
    wait_for(lambda: len(heard.with_values("co2", "temperature")) >= 3, 30, f"readings: {node.console()[-900:]}")
    assert node.console().count("unknown quantity moonlight is left out") == 1
    assert node.console().count("humidity is left out: (4.5, 0) is not a scaled integer") == 1
    assert node.exits == []


def test_the_state_of_a_node_is_given_on_request(broker: Mosquitto, heard: Listener, node: BoardNode) -> None:
    node.wire("bme280")
    node.start(broker.port)
    wait_for(lambda: heard.with_values("temperature"), 20, "a reading")
    heard.command("n1", cmd="state", id=1)
    state = wait_for(lambda: heard.on("/cmd/answer"), 10, "the answer")[0]["state"]
    assert state["broker"] == "connected"
    assert state["network"].startswith("Wi-Fi 'home': 1010 connected")
    assert state["sensors"][0][0].startswith("bme280 I2C 0")
    assert state["clock"] == "not set"
    assert json.dumps(state["log"])
