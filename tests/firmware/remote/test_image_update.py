"""A ROMFS image over the air: exchanged with the one that runs, cut at every step, rolled back for good."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.firmware.exchange import Exchange
from edge.tools import release
from edge.tools.romfs import image
from simulators.hardware.nor import Nor, PowerCut
from tests.conftest import ServerFactory
from tests.firmware.board_node import BoardNode
from tests.firmware.listener import Listener
from tests.firmware.remote.built import built
from tests.servers import Mosquitto, wait_for

KEY = bytes(range(32))
SECTORS = 64  # of each partition
SMALL = 64  # bytes of a sector where every step is cut
HAL = """
import asyncio, os
from .esp32_board import Board as _Board
SPEED = int(os.getenv("SPEED") or 1)
class Board(_Board):
    speed = SPEED
    def ticks_ms(self): return _Board.ticks_ms(self) * SPEED
    async def sleep_ms(self, ms): await asyncio.sleep_ms(max(1, ms // SPEED))
    async def within(self, job, ms): return await asyncio.wait_for_ms(job, max(1000, ms // SPEED))
"""
DEAF = """
class Uplink:
    delivered = 0
    def __init__(self, *parts): pass
    def wake(self): pass
    async def run(self): 1 / 0
"""


# ---- the exchange by itself ----


class Backwards(Nor):
    """An erase that begins at the end of a block: a journal's head outlives its marks."""

    def _erase(self, block: int) -> None:
        start = block * self.size
        for at in reversed(range(start, start + self.size)):
            if not self._step():
                raise PowerCut
            self.data[at] = 0xFF


def partitions(model: str, seed: int, sectors: int = 3) -> tuple[Nor, bytes, bytes]:
    """One flash with two images and the room to exchange them; the images."""
    kind = Backwards if model == "backwards" else Nor
    flash = kind(2 * sectors + 2, SMALL, model, seed)
    noise = random.Random(seed)
    images = noise.randbytes(sectors * SMALL), noise.randbytes(sectors * SMALL)
    flash.data[: len(images[0]) * 2] = images[0] + images[1]
    return flash, *images


class Part:
    """Some blocks of a flash."""

    def __init__(self, flash: Nor, start: int, blocks: int) -> None:
        self.flash, self.start, self.blocks = flash, start, blocks

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        assert block < self.blocks
        self.flash.readblocks(self.start + block, buf, offset)

    def writeblocks(self, block: int, data: bytes, offset: int = 0) -> None:
        assert block < self.blocks
        self.flash.writeblocks(self.start + block, data, offset)

    def ioctl(self, op: int, arg: int) -> int:
        return self.flash.ioctl(op, self.start + arg)


def exchange(flash: Nor, sectors: int = 3) -> Exchange:
    return Exchange(Part(flash, 0, sectors), Part(flash, sectors, sectors), Part(flash, 2 * sectors, 2))


def test_an_exchange_and_the_one_back() -> None:
    flash, a, b = partitions("order", 1)
    exchange(flash).run(b"T1234567", 3)
    assert bytes(flash.data[: 6 * SMALL]) == b + a
    exchange(flash).run(b"T1234567", 3)  # it was the last: nothing happens
    assert bytes(flash.data[: 6 * SMALL]) == b + a
    exchange(flash).run(b"R1234567", 3)
    assert bytes(flash.data[: 6 * SMALL]) == a + b
    assert flash.violations == 0


@pytest.mark.parametrize("model", ["order", "torn", "late", "backwards"])
def test_an_exchange_that_is_cut_anywhere_is_completed(model: str) -> None:
    whole, _, _ = partitions(model, 1)
    exchange(whole).run(b"T1234567", 3)
    for cut in range(whole.steps):
        flash, a, b = partitions(model, 1 + cut)
        exchange(flash).run(b"R0000000", 3)  # an earlier one is in the journal
        flash.data[: 6 * SMALL] = a + b
        flash.budget = cut
        with pytest.raises(PowerCut):
            exchange(flash).run(b"T1234567", 3)
        flash.budget = None
        exchange(flash).run(b"T1234567", 3)
        assert bytes(flash.data[: 6 * SMALL]) == b + a, (model, cut)


# ---- a whole node ----


def board_files(version: str, **sources: str) -> dict[str, bytes]:
    """The firmware of a board with another version, and whole files replaced."""
    texts = {
        "hal/__init__": HAL,
        "__init__": (release.FIRMWARE / "__init__.py").read_text().replace('"0.1.0"', f'"{version}"'),
        **sources,
    }
    return built("esp32", instead={f"{name}.py": text for name, text in texts.items()})


class RomNode(BoardNode):
    """A board with two ROMFS partitions; `image` is flashed into the first."""

    script = "rom_board.py"

    def __init__(self, folder: Path, files: dict[str, bytes]) -> None:
        sizes = {"ring": 16, "romfs": SECTORS, "romfs_b": SECTORS, "swap": 2}
        super().__init__(folder, speed=10, partitions=sizes)
        (folder / "flash.bin").write_bytes(b"\xff" * sum(sizes.values()) * 4096)
        self.put("romfs", image(files))
        for name in ("loader.py", "exchange.py"):
            (folder / name).write_text((release.FIRMWARE / name).read_text())

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "SPEED": str(self.speed)}

    def _at(self, label: str) -> int:
        sizes: dict[str, int] = self.world["partitions"]
        return sum(sizes[name] for name in sizes if name < label) * 4096

    def put(self, label: str, data: bytes) -> None:
        """Flash a partition."""
        with (self.folder / "flash.bin").open("r+b") as flash:
            flash.seek(self._at(label))
            flash.write(data)

    def get(self, label: str, size: int) -> bytes:
        """What a partition holds."""
        return (self.folder / "flash.bin").read_bytes()[self._at(label) : self._at(label) + size]


@pytest.fixture
def pair(server: ServerFactory, tmp_path: Path) -> Iterator[tuple[Listener, RomNode]]:
    """A node that runs 0.1.0 from its ROMFS partition, and somebody who listens."""
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, RomNode(tmp_path / "board", board_files("0.1.0")) as node:
        node.wire("bme280")
        node.start(broker.port, interval_s=5, ota_key=KEY.hex(), ntp_wait_s=0, mqtt={"keepalive_s": 300})
        wait_for(lambda: states(heard, "running"), 40, f"the node: {node.console()[-900:]}")
        yield heard, node


def states(heard: Listener, state: str) -> list[Any]:
    """Reports on ota/state of one kind."""
    return [r for r in heard.on("/ota/state") if r["state"] == state]


def offered(heard: Listener, version: str, **sources: str) -> release.Release:
    """Publish a release as an image."""
    made = release.Release(version, image(board_files(version, **sources)), form="romfs")
    for end, chunk in made.chunks().items():
        heard.send("n1", f"ota/{end}", chunk)
    heard.send("n1", "ota/offer", made.offer(KEY))
    return made


def runs(heard: Listener, version: str) -> list[Any]:
    return [r for r in states(heard, "running") if r["fw"] == version]


def test_an_image_is_installed_tried_and_kept_and_the_old_one_stays(pair: tuple[Listener, RomNode]) -> None:
    heard, node = pair
    before = node.get("romfs", 4096 * SECTORS)
    made = offered(heard, "0.2.0")
    wait_for(lambda: runs(heard, "0.2.0"), 90, f"version 0.2.0: {node.console()[-900:]}")
    assert (runs(heard, "0.2.0")[-1]["slot"], runs(heard, "0.2.0")[-1]["bad"]) == ("rom", [])
    assert node.get("romfs", len(made.bundle)) == made.bundle
    used = (len(made.bundle) + 4095) // 4096 * 4096
    assert node.get("romfs_b", used) == before[:used]
    assert json.loads((node.folder / "slots").read_bytes()[9:])["trial"] is None


@pytest.mark.parametrize(
    "broken", [{"app": "raise RuntimeError('broken release')"}, {"records/uplink": DEAF}], ids=["at import", "deaf"]
)
def test_an_image_that_fails_three_times_is_rolled_back_for_good(
    pair: tuple[Listener, RomNode], broken: dict[str, str]
) -> None:
    heard, node = pair
    before = node.get("romfs", 4096 * SECTORS)
    made = offered(heard, "0.3.0", **broken)
    wait_for(lambda: states(heard, "trial"), 60, "the trial")
    node.kill()
    node.speed = 50
    node.boot()
    wait_for(lambda: [r for r in runs(heard, "0.1.0") if r["bad"] == ["0.3.0"]], 180, node.console()[-900:])
    refused = wait_for(lambda: [r for r in states(heard, "refused") if r["version"] == "0.3.0"], 60, "a refusal")
    assert refused[0]["reason"] == "was rolled back before"
    used = (len(made.bundle) + 4095) // 4096 * 4096
    assert node.get("romfs", used) == before[:used]


def test_a_node_that_is_killed_at_any_step_ends_on_the_new_image(pair: tuple[Listener, RomNode]) -> None:
    heard, node = pair
    noise = random.Random(int(os.environ.get("SEED", "3")))
    made = offered(heard, "0.2.0")
    steps = [
        (node.folder / "ota.of").exists,
        lambda: node.get("romfs_b", 4096 * 4)[-1:] != b"\xff",
        (node.folder / "slots").exists,
        lambda: node.get("swap", 4) == b"XCH1",
    ]
    for step in steps:
        wait_for(step, 60, "the next step of the update")
        node.kill()
        node.boot()
    for _ in range(3):
        node.kill()
        node.boot()
        wait_for(lambda: True, noise.random())
    wait_for(lambda: runs(heard, "0.2.0"), 90, f"version 0.2.0: {node.console()[-900:]}")
    assert runs(heard, "0.2.0")[-1]["bad"] == []
    assert node.get("romfs", len(made.bundle)) == made.bundle


def test_a_bundle_for_slots_and_a_damaged_image_are_refused(pair: tuple[Listener, RomNode]) -> None:
    heard, node = pair
    good = release.Release("0.4.0", image(board_files("0.4.0")), form="romfs")
    stripped = json.loads(good.offer(KEY))
    del stripped["form"]  # the form is signed
    heard.send("n1", "ota/offer", json.dumps(stripped).encode())
    wait_for(lambda: [r for r in states(heard, "refused") if r["reason"] == "wrong HMAC"], 30, "a refusal")
    bundle = release.Release("0.5.0", b"x" * 5000)
    heard.send("n1", "ota/offer", bundle.offer(KEY))
    wait_for(lambda: [r for r in states(heard, "refused") if "takes a ROMFS image" in r["reason"]], 30, "a refusal")
    for end, chunk in good.chunks().items():
        heard.send("n1", f"ota/{end}", chunk if not end.endswith("/9") else bytes(len(chunk)))
    heard.send("n1", "ota/offer", good.offer(KEY))
    wait_for(lambda: [r for r in states(heard, "refused") if r["reason"] == "wrong SHA-256"], 60, "a refusal")
    assert node.exits == []
