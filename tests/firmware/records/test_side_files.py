"""Side files are never fatal: with a full file system or a broken configuration the node samples and delivers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ServerFactory
from tests.firmware.certificates import Authority
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, free_port, wait_for


@pytest.fixture
def place(server: ServerFactory, tmp_path: Path) -> Iterator[tuple[Listener, Node, int]]:
    """A node over mutual TLS with a vault outside of its file system."""
    ca, port = Authority(tmp_path / "ca"), free_port()
    ca.issue("server")
    broker = server(Mosquitto, extra=ca.listener(port))
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        (tmp_path / "nvs").mkdir()
        node.wiring["vault"] = str(tmp_path / "nvs")
        node.configure("127.0.0.1", port, "demo", "n1", mqtt={"tls": node.certified(ca, "n1")})
        yield heard, node, port


def readings(heard: Listener, boot: int) -> list[object]:
    """Those of a boot."""
    return [r for r in heard.with_values("pm2_5") if r["head"]["boot"] == boot]


def test_a_broken_configuration_without_a_copy_is_replaced_by_the_one_in_the_vault(
    place: tuple[Listener, Node, int],
) -> None:
    heard, node, _ = place
    node.boot()
    wait_for(lambda: readings(heard, 1), 20, f"a reading: {node.console()}")
    node.kill()
    (node.workdir / "node.json").write_text('{"city": "demo", "dev')
    for name in ("config.base", "ca.der", "n1.der", "n1.key.der", "boots", "anchors", "events"):
        (node.workdir / name).unlink(missing_ok=True)
    node.boot()
    wait_for(lambda: readings(heard, 2), 20, f"a reading: {node.console()}")
    assert "configuration: node.json" in node.console()
    assert node.exits[1:] == []


@pytest.mark.parametrize("damage", ["full", "garbage"])
def test_a_full_or_damaged_file_system_costs_no_reading(place: tuple[Listener, Node, int], damage: str) -> None:
    heard, node, _ = place
    node.boot()
    wait_for(lambda: readings(heard, 1), 20, "a reading")
    node.kill()
    for name in ("boots", "anchors", "events", "config.base", "rtc.bin", "names"):
        path = node.workdir / name
        path.unlink(missing_ok=True)
        if damage == "garbage":
            path.write_bytes(b"\xff\x00garbage" * 20)
        else:
            path.mkdir()  # nothing can be written under this name
        (node.workdir / f"{name}.new").mkdir()
    node.boot()
    wait_for(lambda: len(readings(heard, 2)) >= 3, 25, f"readings: {node.console()[-700:]}")
    node.kill()
    node.boot()
    wait_for(lambda: len(readings(heard, 3)) >= 2, 25, f"a third boot: {node.console()[-700:]}")
    assert {json.dumps(code) for code in node.exits} <= {"-9"}
