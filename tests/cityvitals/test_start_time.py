"""The command line starts without the libraries that only some commands need: `--help` answers at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import free_port

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


# Packages and modules that single routes of the API need; `planning.measured` also reads what the view `now` shows.
NOT_AT_THE_START = (
    "adapters.sqlite.buffer", "cityvitals.operation.reconcile", "cryptography", "gateway", "planning.by_rule",
    "planning.charging", "planning.measures", "planning.outlook", "planning.request", "planning.scenario",
    "planning.transforms", "pmtiles", "pydantic.v1", "reporting.collect.dcat", "reporting.comparison",
    "reporting.files", "reporting.goals.stored", "reporting.index", "reporting.proof", "reporting.region",
    "reporting.report", "reporting.sdg", "reporting.show", "reporting.submission", "reporting.tables",
    "reporting.wheel", "rich", "tomlkit", "xlsxwriter", "xml",
)  # fmt: skip


def test_the_api_starts_without_what_few_requests_need(tmp_path: Path) -> None:
    """An idle API takes 5 MB less: `cityvitals api` as it is, up to the moment in which it would serve."""
    config = tmp_path / "c.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "store.db"}"\n[api]\nport = {free_port()}\n')
    script = (
        "import sys; from pathlib import Path; import api.server; from cityvitals.cli.processes import api as command;"
        " api.server.ApiServer.run = lambda self: print(*sorted(n for n, m in sys.modules.items() if m), sep='\\n');"
        f" command(Path({str(config)!r}))"
    )
    started = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = started.stdout.splitlines()
    assert {"api.app", "api.routes.plan.scenario", "fastapi"} <= set(loaded)
    assert [n for n in loaded if f"{n}.".startswith(tuple(f"{name}." for name in NOT_AT_THE_START))] == []


@pytest.mark.parametrize("arguments", [["--help"], ["kpi", "--help"], ["rejects", "list", "--help"]])
def test_help_is_shown(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "cityvitals", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage" in shown.stdout
