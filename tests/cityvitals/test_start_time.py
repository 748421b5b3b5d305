"""The command line starts without the libraries that only some commands need: `--help` answers at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "msgspec", "pydantic", "fastapi", "cryptography", "paho", "sqlite3", "tomlkit")


def test_the_commands_are_known_without_the_libraries_of_any() -> None:
    script = "import sys, cityvitals.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert set(HEAVY) & set(loaded) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["kpi", "--help"], ["rejects", "list", "--help"]])
def test_help_is_shown(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "cityvitals", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage" in shown.stdout
