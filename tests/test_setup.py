"""Setting up: what the scripts say on a machine that lacks something, and that a second call is instant."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run([str(c) for c in command], env=variables, capture_output=True, text=True, check=False)


def commands(folder: Path, scripts: Mapping[str, str], links: tuple[str, ...] = ()) -> str:
    """A PATH of its own: scripts by name, and links to commands of this machine."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    for name in links:
        (folder / name).symlink_to(which(name) or name)
    return str(folder)


def test_a_second_setup_installs_nothing() -> None:
    stamp = ROOT / ".venv" / ".installed-demo"
    if not stamp.exists():
        pytest.skip("this is not run from the .venv that make made")
    assert run("make", "-C", ROOT, "setup").returncode == 0
    installed = stamp.stat().st_mtime_ns
    again = run("make", "--no-print-directory", "-C", ROOT, "setup")
    assert (again.returncode, again.stdout) == (0, "")
    assert stamp.stat().st_mtime_ns == installed


def test_setup_installs_what_the_tutorial_needs() -> None:
    """`cityvitals run` needs the gateway's and the API's libraries and a broker: the extra of the demo."""
    steps = run("make", "-C", ROOT, "-n", "-B", "setup").stdout
    assert ".[demo]" in steps
    assert "Installing CityVitals into" in steps


def test_a_python_that_is_too_old_is_reported_with_what_to_do(tmp_path: Path) -> None:
    path = commands(tmp_path / "bin", {"old": "exit 1"})
    answer = run(ROOT / "tools" / "make-venv", tmp_path / "venv", PATH=f"{path}:{os.environ['PATH']}", PYTHON="old")
    assert answer.returncode == 1
    assert "needs Python 3.11 or later" in answer.stderr
    assert "make setup PYTHON=" in answer.stderr


def test_a_python_without_venv_names_the_package_to_install(tmp_path: Path) -> None:
    python = 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo python3.11-venv ;; esac'
    path = commands(tmp_path / "bin", {"bare": python, "id": "echo 1000"})
    answer = run(ROOT / "tools" / "make-venv", tmp_path / "venv", PATH=f"{path}:{os.environ['PATH']}", PYTHON="bare")
    assert answer.returncode == 1
    assert "sudo apt-get install python3.11-venv" in answer.stderr


def test_an_environment_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    commands(tmp_path / "bin", {"python": "exit 0"})
    answer = run(ROOT / "tools" / "make-venv", tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "")


def servers_script(tmp_path: Path) -> Path:
    """The script alone, in a folder of its own, so that it fetches no MicroPython."""
    (tmp_path / "tools").mkdir()
    return Path(shutil.copy(ROOT / "tools" / "get-servers", tmp_path / "tools" / "get-servers"))


def test_without_the_right_to_install_each_missing_server_is_named(tmp_path: Path) -> None:
    path = commands(tmp_path / "bin", {}, ("bash", "dirname"))
    answer = run(servers_script(tmp_path), PATH=path)
    assert answer.returncode == 0
    assert "influxdb is missing: the tests that need it are skipped" in answer.stdout


def test_a_package_that_cannot_be_installed_does_not_stop_the_others(tmp_path: Path) -> None:
    apt = '[ -x "$POLICY_RC_D" ] && echo "$@" >> "$LOG"; case "$*" in *influxdb) exit 100 ;; esac'
    fakes = {"apt-get": apt, "id": "echo 0"}
    path = commands(tmp_path / "bin", fakes, ("bash", "sh", "env", "dirname", "tee", "chmod", "rm"))
    log, policy = tmp_path / "log", tmp_path / "policy"
    answer = run(servers_script(tmp_path), PATH=path, LOG=str(log), POLICY_RC_D=str(policy))
    assert answer.returncode == 0
    assert "influxdb could not be installed." in answer.stdout
    assert log.read_text().splitlines()[0].startswith("update")
    assert any(line.endswith("victoria-metrics") for line in log.read_text().splitlines())
    assert not policy.exists(), "daemons are kept from starting while packages are installed, and not longer"


def test_everything_there_means_nothing_to_do(tmp_path: Path) -> None:
    names = (
        "mosquitto",
        "mosquitto_sub",
        "influxd",
        "victoria-metrics",
        "chromium-headless-shell",
        "ip",
        "docker-compose",
        "promtool",
        "pg_ctlcluster",
    )
    path = commands(tmp_path / "bin", {**dict.fromkeys(names, ":"), "apt-get": "exit 1"}, ("bash", "dirname"))
    answer = run(servers_script(tmp_path), PATH=path)
    assert (answer.returncode, answer.stdout) == (0, "")
