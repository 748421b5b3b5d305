"""The firmware with short names, as nodes get it, does what the readable one does."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from edge.tools.compact.join import joined
from edge.tools.compact.shorten import shortened
from edge.tools.release import readable
from tests.conftest import ServerFactory
from tests.firmware.board_node import BoardNode
from tests.firmware.boards import StrictBoard
from tests.firmware.listener import Listener
from tests.firmware.models import model
from tests.servers import Mosquitto, wait_for

PARENT = """
class Base:
    def __init__(self, first, second=2):
        self._kept = first + second
    def total(self, more):
        def inner(plus):
            return plus + more + self._kept
        return inner(10)
"""
CHILD = """
import parent
_START = 5
class Child(parent.Base):
    def __init__(self, first, _other=1):
        parent.Base.__init__(self, first)
        self._mine = first * _START
        try:
            raise ValueError(first)
        except ValueError as err:
            self._seen = [str(err) for first in range(2)]
    def every(self, first, *rest, **options):
        return [self._kept, self._mine, self._seen, first, rest, options, [lambda first: first + 1][0](first)]
    def say(self, text):
        return text + self._twice(text=text)
    def _twice(self, text):
        return text * 2
"""


FLAT = {
    "__init__.py": "VERSION = '1'",
    "files.py": "COUNT = 0\ndef load(path):\n    global COUNT\n    COUNT += 1\n    return [path, COUNT]",
    "ring.py": """
from micropython import const
from . import files
SIZE = const(8)
_HALF, _LAST = 4, 5
class Ring:
    SIZE = 3
    load = SIZE + 1
    def __init__(self, files=None):
        self.files = files
    def read(self, load):
        return [load, SIZE, self.SIZE, self.load, [SIZE for SIZE in range(2)], files_of(self.files)]
def files_of(files):
    return files or (lambda files: files)(_HALF)
def both():
    return [files.load("x"), [files for files in (1, 2)], files.load("y")]
""",
    "assembly.py": """
from . import files as kept, VERSION
from .ring import Ring, SIZE, both as two
def made():
    return [Ring(7).read(1), SIZE, two(), kept.load(VERSION), kept.COUNT]
""",
    "app.py": "def Node():\n    from . import assembly\n    return assembly.made()",
}


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole firmware with short names, as sources, for both platforms: the interpreter here is the unix port."""
    folder = tmp_path_factory.mktemp("short")
    for name, text in shortened({**readable("unix"), **readable("esp32")}).items():
        path = folder / "firmware" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def broker(server: ServerFactory) -> Mosquitto:
    made: Mosquitto = server(Mosquitto)
    return made


def run(sources: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> object:
    """What the two files compute together."""
    parent, child = types.ModuleType("parent"), types.ModuleType("child")
    monkeypatch.setitem(sys.modules, "parent", parent)
    exec(sources["parent.py"], parent.__dict__)
    exec(sources["child.py"], child.__dict__)
    made = child.Child(3)
    return [made.every(1, 2, key=3), made.total(7), made.say("ab")]


def test_names_that_meet_in_one_object_or_are_called_by_name_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {"parent.py": PARENT, "child.py": CHILD}
    short = shortened(sources)
    assert run(short, monkeypatch) == run(sources, monkeypatch)
    assert "def total(self, a0):" in short["parent.py"]
    assert "def inner(a1):" in short["parent.py"]  # not a0, which stands for the outer argument inside
    assert "def _twice(self, text):" in short["child.py"]


def test_a_private_name_of_one_file_is_short() -> None:
    text = shortened({"ring.py": "_SIZE = 4\ndef _blank(data):\n    return data[:_SIZE]\n"})["ring.py"]
    assert "_SIZE" not in text
    assert "def _1(a0):" in text


def computed(folder: Path, sources: dict[str, str]) -> str:
    """What a firmware of some files computes."""
    for name, text in sources.items():
        path = folder / "firmware" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "micropython.py").write_text("def const(value): return value")
    command = [sys.executable, "-c", "from firmware.app import Node; print(Node())"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_core_in_one_file_computes_what_its_files_do(tmp_path: Path) -> None:
    one = joined(FLAT)
    assert sorted(one) == ["__init__.py", "app.py", "assembly.py"]
    assert computed(tmp_path / "one", one) == computed(tmp_path / "flat", FLAT) != ""


@pytest.mark.parametrize("name", ["dsmr_p1", "dlms_push", "atm90e32", "i2s_noise"])
def test_each_driver_with_short_names_reads_its_sensor(tmp_path: Path, firmware: Path, name: str) -> None:
    with StrictBoard(tmp_path, "esp32s3") as board:
        board.firmware = firmware
        options = board.wire(name)
        done = board.run("read_driver.py", json.dumps(options), "5")
    got = json.loads(done.stdout.splitlines()[-1]) if done.stdout else done.stderr
    assert isinstance(got, list), got
    wanted = model(name).expected
    found = {n: m / 10**d for n, m, d in got}
    assert {key: found.get(key) for key in wanted} == pytest.approx(wanted, abs=0.011)


def test_a_whole_node_with_short_names_delivers(tmp_path: Path, firmware: Path, broker: Mosquitto) -> None:
    with BoardNode(tmp_path / "board", join_ms=100) as node, Listener(broker.port, "demo") as heard:
        node.firmware = firmware
        node.wire("bme280")
        node.wire("s0")
        node.start(broker.port)
        wait_for(lambda: len(heard.with_values("temperature", "pulses")) > 3, 40, node.console()[-800:])
        assert node.exits == []
        assert "Traceback" not in node.console()
