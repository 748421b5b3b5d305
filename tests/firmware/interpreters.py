"""Finds real MicroPython, and says why when it is not there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

REPO = Path(__file__).resolve().parents[2]
CACHE = REPO / ".cache" / "micropython"


def find(bits: int = 64) -> Path | None:
    """The unix port of MicroPython with 64- or 32-bit words."""
    name = "micropython" if bits == 64 else "micropython32"
    for path in (CACHE / name, shutil.which(name)):
        if path and Path(path).exists():
            return Path(path)
    return None


def micropython(bits: int = 64) -> Path:
    """As `find`, but skips the test by name where there is none; with CI=true that is a failure."""
    path = find(bits)
    if path is None:
        missing(f"MicroPython ({bits} bit) is not here: run tools/get-micropython")
    return path


def usable(bits: int, heap: str) -> int:
    """Bytes of a heap that programs can use: `gc.mem_alloc()` and `gc.mem_free()` together."""
    command = [
        str(micropython(bits)),
        "-X",
        f"heapsize={heap}",
        "-c",
        "import gc; print(gc.mem_alloc() + gc.mem_free())",
    ]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout)


def missing(reason: str) -> NoReturn:
    """A server or interpreter that a test needs is absent."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


PATHS = [REPO / "edge", REPO / "simulators/hardware", REPO / "tests/firmware/scripts"]


def run(script: str, *args: str, bits: int = 64, heap: str = "", timeout: float = 120) -> str:
    """Run one of `scripts/` with the firmware and the hardware models on the path; returns what it printed.

    `bits` 64 and 32 are MicroPython, 0 is this very CPython.
    """
    options = ["-X", f"heapsize={heap}"] if heap else []
    command = [str(micropython(bits)), *options] if bits else [sys.executable]
    path = os.pathsep.join(map(str, PATHS))
    done = subprocess.run(
        [*command, str(REPO / "tests/firmware/scripts" / script), *args],
        env={**os.environ, "MICROPYPATH": f".frozen:{path}", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
