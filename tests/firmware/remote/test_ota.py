"""Firmware over the air: the node always ends on a version that boots, and says which."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.tools.release import FIRMWARE, Release, install, pack
from tests.conftest import ServerFactory
from tests.firmware.certificates import Authority
from tests.firmware.interpreters import micropython
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.firmware.remote.built import built
from tests.servers import Mosquitto, free_port, wait_for

DEAF_UPLINK = """
class Uplink:
    delivered = 0
    def __init__(self, *parts): pass
    def wake(self): pass
    async def run(self): 1 / 0
"""
KEY = bytes(range(32))
HEAP = "112k"  # what a plain ESP32 has after its heap has grown
LINK = {"keepalive_s": 300, "backoff_max_s": 5}  # with fast time, short silences must not count as a lost link
Pair = tuple[Listener, Node]


@pytest.fixture(scope="module")
def compiled() -> dict[str, bytes]:
    """The firmware as it is, compiled."""
    return built("unix")


def changed(version: str, **sources: str) -> Release:
    """A release that differs from the firmware as it is: another version, and whole files replaced."""
    init = (FIRMWARE / "__init__.py").read_text().replace('VERSION = "0.1.0"', f'VERSION = "{version}"')
    texts = {f"{name}.py": text for name, text in {"__init__": init, **sources}.items()}
    return Release(version, pack(built("unix", instead=texts)))


@pytest.fixture
def pair(server: ServerFactory, tmp_path: Path, compiled: dict[str, bytes]) -> Iterator[Pair]:
    """A node with little memory that runs version 0.1.0 from slot a, over mutual TLS, and somebody who listens."""
    micropython(32)
    ca, port = Authority(tmp_path / "ca"), free_port()
    ca.issue("server")
    broker = server(Mosquitto, extra=ca.listener(port))
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node", bits=32, heap=HEAP, slots=True) as node:
        install(compiled, node.workdir / "a")
        node.wiring["speed"] = 5
        link = {**LINK, "tls": node.certified(ca, "n1")}
        node.start("127.0.0.1", port, "demo", "n1", interval_s=5, ota_key=KEY.hex(), mqtt=link)
        wait_for(lambda: states(heard, "running"), 20, "the node to say what it runs")
        yield heard, node


def states(heard: Listener, state: str) -> list[Any]:
    """Reports on ota/state of one kind."""
    return [r for r in heard.on("/ota/state") if r["state"] == state]


def publish(heard: Listener, release: Release, offer: bytes | None = None) -> None:
    """Put a release on the broker as retained messages."""
    for end, chunk in release.chunks().items():
        heard.send("n1", f"ota/{end}", chunk)
    heard.send("n1", "ota/offer", offer or release.offer(KEY))


def test_a_good_release_is_installed_tried_and_kept(pair: Pair, compiled: dict[str, bytes], tmp_path: Path) -> None:
    heard, node = pair
    publish(heard, changed("0.2.0"))
    wait_for(lambda: [r for r in states(heard, "running") if r["fw"] == "0.2.0"], 40, "version 0.2.0")
    last = states(heard, "running")[-1]
    assert (last["slot"], last["bad"]) == ("b", [])
    assert json.loads((node.workdir / "slots").read_bytes()[9:])["active"] == "b"
    status = wait_for(lambda: [s for s in heard.on("/status") if s.get("fw") == "0.2.0"], 10, "its birth message")
    assert status[0]["state"] == "online"


def test_a_release_that_is_not_ours_or_damaged_is_refused(
    pair: Pair, compiled: dict[str, bytes], tmp_path: Path
) -> None:
    heard, node = pair
    good = changed("0.2.0")
    publish(heard, good, good.offer(b"another key"))
    wait_for(lambda: [r for r in states(heard, "refused") if r["reason"] == "wrong HMAC"], 20, "the refusal")
    damaged = Release("0.2.0", good.bundle[:-1] + b"?")
    for end, chunk in zip(good.chunks(), damaged.chunks().values(), strict=True):
        heard.send("n1", f"ota/{end}", chunk)
    heard.send("n1", "ota/offer", good.offer(KEY))
    wait_for(lambda: [r for r in states(heard, "refused") if r["reason"] == "wrong SHA-256"], 20, "the refusal")
    assert node.exits == []
    assert not (node.workdir / "b").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app", "raise RuntimeError('broken release')"),
        ("app", "def broken(:"),
        ("records/uplink", DEAF_UPLINK),
    ],
    ids=["crashes at import", "cannot be loaded", "never delivers"],
)
def test_three_failed_starts_bring_the_old_version_back_for_good(
    pair: Pair, compiled: dict[str, bytes], tmp_path: Path, name: str, text: str
) -> None:
    heard, node = pair
    if text.startswith("def broken"):
        release = changed("0.3.0")
        files = {**compiled, "firmware/app.mpy": b"M\x00\x00\x00 not a module"}
        release = Release("0.3.0", pack(files))
    else:
        release = changed("0.3.0", **{name: text})
    node.kill()
    node.wiring["speed"] = 20
    node.boot()
    publish(heard, release)
    wait_for(lambda: [r for r in states(heard, "running") if r["bad"] == ["0.3.0"]], 80, "the old version")
    assert states(heard, "running")[-1]["fw"] == "0.1.0"
    refusal = wait_for(lambda: [r for r in states(heard, "refused") if "rolled back" in r["reason"]], 20, "a refusal")
    assert refusal[0]["version"] == "0.3.0"


def test_a_node_that_runs_from_romfs_refuses_an_update_for_the_slots(
    server: ServerFactory, compiled: dict[str, bytes], tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    with (
        Listener(broker.port, "demo") as heard,
        Node(tmp_path / "n", bits=32, heap="72k", script="rom_node.py") as node,
    ):
        node.install_rom()
        node.start("127.0.0.1", broker.port, "demo", "n1", ota_key=KEY.hex())
        wait_for(lambda: heard.with_values("pm2_5"), 20, "a reading")
        publish(heard, changed("0.4.0"))
        refused = wait_for(lambda: states(heard, "refused"), 20, "a refusal")
    assert "ROMFS" in refused[0]["reason"]


def test_an_older_release_is_refused_unless_a_downgrade_is_meant(
    pair: Pair, compiled: dict[str, bytes], tmp_path: Path
) -> None:
    heard, _ = pair
    good = changed("0.0.9")
    old = Release(good.version, good.bundle, number=0)
    publish(heard, old)
    refused = wait_for(lambda: [r for r in states(heard, "refused") if "older" in r["reason"]], 30, "a refusal")
    assert refused[0]["reason"] == "release 0 is older than 1, which runs"
    forged = json.loads(old.offer(KEY)) | {"downgrade": 1}
    heard.send("n1", "ota/offer", json.dumps(forged).encode())
    wait_for(lambda: [r for r in states(heard, "refused") if r["reason"] == "wrong HMAC"], 30, "another refusal")
    publish(heard, Release(good.version, good.bundle, number=0, downgrade=True))
    wait_for(lambda: [r for r in states(heard, "running") if r["fw"] == "0.0.9"], 80, "the older release")


def test_a_node_killed_at_any_step_of_an_update_ends_on_a_version_that_boots(
    pair: Pair, compiled: dict[str, bytes], tmp_path: Path
) -> None:
    heard, node = pair
    release = changed("0.2.0")
    root = node.workdir
    steps = [root / "ota.part", root / "b", root / "b/firmware/app.mpy", root / "slots"]
    publish(heard, release)
    for step in steps:
        wait_for(step.exists, 30, "the next step of the update")
        node.kill()
        node.boot()
    wait_for(lambda: [r for r in states(heard, "running") if r["fw"] == "0.2.0"], 60, "version 0.2.0")
    assert states(heard, "running")[-1]["bad"] == []


def test_a_damaged_slot_file_starts_the_factory_slot(pair: Pair) -> None:
    heard, node = pair
    node.kill()
    (node.workdir / "slots").write_bytes(b"garbage")
    shutil.rmtree(node.workdir / "b", ignore_errors=True)
    before = len(states(heard, "running"))
    node.boot()
    wait_for(lambda: len(states(heard, "running")) > before, 20, "the node to start")
    assert states(heard, "running")[-1]["slot"] == "a"
