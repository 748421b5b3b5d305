"""The systemd units are sound, and leave a process little to do harm with."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cityvitals.config import load_settings
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
    command = [need("systemd-analyze", "systemd"), "security", "--offline=true", "--no-pager", unit]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert found, answer.stderr
    assert float(found[1]) <= 2.0, answer.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_secrets_are_credentials_that_the_configuration_knows(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    (tmp_path / "secret").write_text("word")
    loaded = set(re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE))
    named = dict(re.findall(r"^Environment=(CITYVITALS__\w+)=%d/(\w+)$", text, re.MULTILINE))
    assert set(named.values()) == loaded
    environment = {name: str(tmp_path / "secret") for name in named}
    load_settings(None, environment | {"CITYVITALS__GATEWAY__UPLINK__URL": "mqtt://hub"})


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_a_unit_that_is_stopped_has_ten_seconds(unit: Path) -> None:
    assert "TimeoutStopSec=10\n" in unit.read_text()
