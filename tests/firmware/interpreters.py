"""Finds real MicroPython, and says why when it is not there."""

import os
import shutil
import subprocess
from pathlib import Path

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


def missing(reason: str) -> None:
    """A server or interpreter that a test needs is absent."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run(source: str, *args: str, bits: int = 64, heap: str = "", timeout: float = 120) -> str:
    """Run a script with the firmware and the hardware models on the path; returns what it printed."""
    options = ["-X", f"heapsize={heap}"] if heap else []
    done = subprocess.run(
        [str(micropython(bits)), *options, source, *args],
        env={**os.environ, "MICROPYPATH": f".frozen:{REPO}/edge:{REPO}/simulators/hardware:{REPO}/tests/firmware"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
