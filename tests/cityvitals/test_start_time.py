"""The command line starts without the libraries that only some commands need: `--help` answers at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "msgspec", "pydantic", "fastapi", "cryptography", "paho", "sqlite3", "tomlkit", "rich")


def test_the_commands_are_known_without_the_libraries_of_any() -> None:
    script = (
        "import sys, cityvitals.__main__, cityvitals.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert set(HEAVY) & set(loaded) == set()


def test_help_does_not_look_into_what_is_installed() -> None:
    """importlib.metadata takes as long to import as all commands."""
    command = [sys.executable, "-X", "importtime", "-m", "cityvitals", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    imported = {line.rpartition("|")[2].strip() for line in shown.splitlines()}
    assert "cityvitals.cli.main" in imported
    assert {"importlib.metadata", "registry.extras", "rich.console"} & imported == set()


@pytest.mark.parametrize("arguments", [["--help"], ["kpi", "--help"], ["rejects", "list", "--help"]])
def test_help_is_shown(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "cityvitals", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage" in shown.stdout
