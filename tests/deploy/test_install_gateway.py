"""deploy/install-gateway, run below a folder: what it installs fits together, a second run keeps what was edited."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from registry.config import load_city, load_settings
from tests.packages.wheels import of_this_checkout

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "install-gateway"
CITY = ROOT / "deploy" / "cities" / "example.toml"


def install(*arguments: str) -> subprocess.CompletedProcess[str]:
    # pip reads options from the environment: no library is downloaded, all are installed already.
    environment = {**os.environ, "PYTHON": sys.executable, "PIP_NO_DEPS": "1"}
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_this_checkout(tmp_path_factory)


@pytest.fixture(scope="module")
def arguments(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    prefix = tmp_path_factory.mktemp("root")
    values = {"--hub": "mqtts://hub.example:8883", "--id": "gateway-2", "--city": str(CITY), "--from": str(wheel)}
    return [word for option in {**values, "--prefix": str(prefix)}.items() for word in option]


@pytest.fixture(scope="module")
def prefix(arguments: list[str]) -> Path:
    answer = install(*arguments)
    assert answer.returncode == 0, answer.stderr
    return Path(arguments[-1])


def test_the_settings_are_those_that_were_asked_for(prefix: Path) -> None:
    settings = load_settings(prefix / "etc/cityvitals/cityvitals.toml", {})
    assert settings.gateway.id == "gateway-2"
    assert settings.gateway.uplink is not None
    assert settings.gateway.uplink.url == "mqtts://hub.example:8883"
    assert settings.gateway.uplink.username == "gateway-2"
    assert settings.gateway.broker.url == "mqtt://localhost:1883"
    assert [load_city(path).id for path in settings.city_files] == ["example"]


def test_the_unit_finds_program_settings_secrets_and_buffer(prefix: Path) -> None:
    unit = (prefix / "etc/systemd/system/cityvitals-gateway.service").read_text()
    [program, config] = re.findall(r"^ExecStart=(\S+) gateway --config (\S+)$", unit, re.MULTILINE)[0]
    assert os.access(f"{prefix}{program}", os.X_OK)
    assert Path(f"{prefix}{config}").is_file()
    for secret in re.findall(r"^LoadCredential=\w+:(\S+)$", unit, re.MULTILINE):
        path = Path(f"{prefix}{secret}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    [state] = re.findall(r"^StateDirectory=(\S+)$", unit, re.MULTILINE)
    buffer = load_settings(prefix / "etc/cityvitals/cityvitals.toml", {}).gateway.buffer
    assert buffer == Path("/var/lib") / state / "gateway.db"


def test_a_second_run_keeps_what_was_edited(prefix: Path, arguments: list[str]) -> None:
    settings = prefix / "etc/cityvitals/cityvitals.toml"
    secret = prefix / "etc/cityvitals/secrets/edge_gateway"
    settings.write_text(settings.read_text().replace("localhost", "broker"))
    secret.write_text("password")
    assert install(*arguments).returncode == 0
    assert "mqtt://broker:1883" in settings.read_text()
    assert secret.read_text() == "password"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (["--hub", "hub.example"], "--hub must be mqtt://"),
        (["--id", "gate way"], "--id must consist of"),
        (["--city", "/nowhere.toml"], "/nowhere.toml cannot be read"),
        (["--colour", "red"], "there is no option --colour"),
        (["--hub"], "--hub needs a value"),
    ],
)
def test_wrong_use_is_a_sentence_and_installs_nothing(changed: list[str], reason: str, tmp_path: Path) -> None:
    right = ["--hub", "mqtt://hub:1883", "--id", "g", "--city", str(CITY), "--prefix", str(tmp_path / "root")]
    answer = install(*right, *changed)
    assert answer.returncode == 2
    assert reason in answer.stderr
    assert not (tmp_path / "root").exists()


def test_without_a_city_nothing_is_installed(tmp_path: Path) -> None:
    answer = install("--hub", "mqtt://hub:1883", "--id", "g", "--prefix", str(tmp_path / "root"))
    assert answer.returncode == 2
    assert "--city FILE is required" in answer.stderr
