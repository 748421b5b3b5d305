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


@pytest.mark.parametrize(("command", "own"), [("api", 2), ("gateway", 2), ("rejects", 30)])
def test_a_long_running_process_keeps_only_its_own_commands(command: str, own: int) -> None:
    script = (
        f"import sys; sys.argv = ['cityvitals', '{command}', '--config', 'c.toml']; import cityvitals.cli.main;"
        " print(sum(name.startswith('cityvitals.cli.') for name in sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(shown) == own if own == 2 else int(shown) > own


def test_the_api_starts_without_what_few_requests_need() -> None:
    """The writer of spreadsheets, the gateway's decoders and the editor of city files are megabytes of code."""
    script = (
        "import sys, cityvitals.process_api, api.app, cityvitals.operation.through_api as t;"
        " from registry.settings import Settings; t.operator(Settings());"
        " print([n for n in ('xlsxwriter', 'gateway.core', 'tomlkit') if n in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], ["kpi", "--help"], ["rejects", "list", "--help"]])
def test_help_is_shown(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "cityvitals", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage" in shown.stdout
