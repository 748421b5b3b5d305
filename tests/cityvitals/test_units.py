"""The systemd units are sound, and leave a process little to do harm with."""

from __future__ import annotations

import ctypes
import errno
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from registry.config import load_settings
from tests import processes
from tests.processes import need

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
NAMES = ["cityvitals-api", "cityvitals-gateway", "cityvitals-ingest"]


def test_every_process_of_ours_has_a_unit() -> None:
    assert [unit.stem for unit in UNITS] == NAMES


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/cityvitals/.venv/bin/cityvitals", sys.executable))
    answer = subprocess.run(
        [need("systemd-analyze", "systemd"), "verify", "--man=no", here], capture_output=True, text=True, check=False
    )
    assert unit.name not in answer.stderr, answer.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_the_units_exposure_is_small(unit: Path) -> None:
    command = [need("systemd-analyze", "systemd"), "security", "--offline=true", "--no-pager", str(unit)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert found, answer.stderr
    assert float(found[1]) <= 2.0, answer.stdout


MBIND = {"x86_64": 237, "aarch64": 235}.get(platform.machine())
_KILL, _REFUSE, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000  # linux/seccomp.h


def without(call: int, action: int) -> None:
    """In the new process: answer this system call with an action, as systemd does for what a unit denies."""
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, action), (0x06, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    for words in ((38, 1, 0, 0, 0), (22, 2, program, 0, 0)):  # no new rights; a filter
        if processes._LIBC.prctl(*words):
            raise OSError("this kernel takes no filter")


@pytest.mark.skipif(sys.platform != "linux" or MBIND is None, reason="filters of Linux, numbers of these machines")
@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_our_libraries_live_with_what_the_unit_denies(unit: Path) -> None:
    """NumPy's ask for memory at a place, which @resources denies."""
    action = _REFUSE | errno.EPERM if "\nSystemCallErrorNumber=EPERM\n" in unit.read_text() else _KILL
    parts = "cityvitals.processes, api.server, adapters.influx.store, cryptography.x509"
    answer = subprocess.run(
        [sys.executable, "-c", f"import {parts}; print('lives')"],
        capture_output=True, text=True, check=False, preexec_fn=lambda: without(MBIND or 0, action),
    )  # fmt: skip
    assert answer.stdout == "lives\n", (answer.returncode, answer.stderr)


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_secrets_are_credentials_that_the_configuration_knows(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    (tmp_path / "secret").write_text("word")
    loaded = set(re.findall(r"^#?LoadCredential=(\w+):", text, re.MULTILINE))
    named = dict(re.findall(r"^#?Environment=(CITYVITALS__\w+)=%d/(\w+)$", text, re.MULTILINE))
    assert set(named.values()) == loaded
    environment = {name: str(tmp_path / "secret") for name in named}
    load_settings(None, environment | {"CITYVITALS__GATEWAY__UPLINK__URL": "mqtt://hub"})


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_a_unit_that_is_stopped_has_ten_seconds(unit: Path) -> None:
    assert "TimeoutStopSec=10\n" in unit.read_text()
