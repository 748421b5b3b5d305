"""Few names and few texts: what a node gets computes what its files do, and its names fit MicroPython's table."""

import array
import ast
import asyncio
import binascii
import builtins
import functools
import gc
import hashlib
import hmac
import io
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.tools import release
from edge.tools.compact.flatten import flat
from edge.tools.compact.join import joined
from edge.tools.compact.names import FREE, few_names, new_names
from edge.tools.compact.shorten import shortened
from edge.tools.compact.texts import few_texts
from edge.tools.release import FIRMWARE, compact, meanings, readable
from edge.tools.romfs import image
from tests.firmware.interpreters import REPO, run
from tests.firmware.node import compiled
from tests.firmware.test_shorten import FLAT, computed

MODULES = (asyncio, json, os, sys, gc, struct, binascii, io, select, socket, time, hashlib, array, hmac, ssl, builtins)
PASSING = """
import asyncio
from .ring import Ring
from . import files
KEYS = {"one": 1, "a long key": 2}
class Base:
    def _size(self): return len(self.kept)
    def all(self): return [self._size(), self.total(), self.kept, KEYS["one"], KEYS["a long key"]]
class Child(Base):
    def __init__(self, ring, text="one"):
        self.kept, self.ring, self.text = [ring.load], ring, text
        self.append = self.kept.append
    def total(self):
        self.append("%s of %d" % (self.text, 3))
        try:
            return self.ring.read(1)[0] + getattr(self, "named")()
        except MemoryError:
            return "no memory"
    def named(self): return KEYS.get("none", 7)
def made(ring): return Child(ring, text="two").all()
"""
USER = "\ndef more():\n    from . import passing\n    return passing.made(Ring(7))[:3]\n"
SCRIPT = """
# Loads modules of a ROMFS image as a node does over its life: FOLDER MODULE,MODULE,...
import os
import sys

import ffi
import micropython
import uctypes
import vfs

path = sys.argv[1] + "/rom.img"
size = os.stat(path)[6]
with open(path, "rb") as f:
    mmap = ffi.open(None).func("p", "mmap", "pIiiii")
    data = uctypes.bytearray_at(mmap(0, size, 1, 2, f.fileno(), 0), size)
vfs.mount(vfs.VfsRom(data), "/rom")
sys.path.insert(0, "/rom")
for a in sys.argv[2].split(","):
    __import__("firmware." + a)
    if a != "app":
        sys.modules.pop("firmware." + a, None)
micropython.qstr_info()
"""
KINDS = {
    "full air quality": "pms5003 frames serialport bme280 scd41 sensirion ads1115",
    "energy": "dsmr_p1 obis serialport s0 pulses counters",
    "charger": "openevse serialport evse",
}
LIFE = (
    "app hal assembly slots mount config settings rtc_memory validity boots dial names dns tlscontext session_packets "
    "tasks commands state sntp ota bundle image"
)


def test_few_names_and_texts_compute_what_the_files_do(tmp_path: Path) -> None:
    files = {**FLAT, "passing.py": PASSING, "assembly.py": FLAT["assembly.py"] + USER}
    files["app.py"] = "def Node():\n    from . import assembly\n    return [assembly.made(), str(assembly.more())]"
    few = few_names(few_texts(joined(files)))
    assert computed(tmp_path / "few", few) == computed(tmp_path / "flat", files) != ""
    assert "self.kept" not in few["passing.py"]


@functools.cache
def sources(platform: str) -> dict[str, ast.Module]:
    texts = few_texts(joined(flat(shortened(readable(platform)))))
    return {name: ast.parse(text) for name, text in texts.items()}


def native() -> Iterator[str]:
    """Names of what MicroPython brings, as far as this interpreter and the model of the boards have them too."""
    for place in MODULES:
        for name in dir(place):
            yield name
            value = getattr(place, name, None)
            yield from dir(value) if isinstance(value, type) else ()
    for path in (REPO / "simulators/hardware/esp32_api").rglob("*.py"):
        for item in ast.walk(ast.parse(path.read_text())):
            if isinstance(item, ast.FunctionDef | ast.ClassDef):
                yield item.name


@pytest.mark.parametrize("platform", ["unix", "esp32"])
def test_no_name_that_micropython_has_too_is_replaced(platform: str) -> None:
    assert sorted(set(new_names(sources(platform))) & set(native())) == []


@pytest.mark.parametrize("platform", ["unix", "esp32"])
def test_a_free_name_is_not_used_by_the_firmware_itself(platform: str) -> None:
    given = set(new_names(sources(platform)).values())
    used = {
        item.attr for tree in sources(platform).values() for item in ast.walk(tree) if isinstance(item, ast.Attribute)
    }
    assert given & set(FREE)
    assert given & set(FREE) & used == set()


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_of_a_whole_life_fit_the_first_300_places(tmp_path: Path, kind: str) -> None:
    """Connections, time servers, commands, configurations and updates included: one name more costs 2.3 kB."""
    (tmp_path / "rom.img").write_bytes(image(compiled()))
    loaded = f"{LIFE} {KINDS[kind]}".replace(" ", ",")
    (tmp_path / "names.py").write_text(SCRIPT)
    found = re.search(r"n_qstr=(\d+)", run(str(tmp_path / "names.py"), str(tmp_path), loaded, bits=32))
    assert found
    assert int(found[1]) <= 300


def test_every_function_in_a_trace_can_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = readable("esp32")
    made = compact(texts)
    monkeypatch.setattr(release, "compact", lambda _: made)  # a second and a half each time
    config = re.findall(r"def (\w+)\(", made["config.py"])
    assert "config.fingerprint" in meanings(texts, "config", config[0])
    found = meanings(texts, "app", "_0")
    assert len(found) > 1  # methods of several classes
    for name in found:
        module, _, function = name.partition(".")
        assert any(f"def {function}(" in text for path, text in texts.items() if Path(path).stem == module)


def test_what_is_needed_for_a_start_leaves_no_function_behind() -> None:
    """A function of it that lives on holds the whole module, 1.3 kB."""
    tree = ast.parse((FIRMWARE / "assembly.py").read_text())
    assert [item.lineno for item in ast.walk(tree) if isinstance(item, ast.Lambda)] == []
