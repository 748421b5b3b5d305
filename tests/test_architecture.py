"""The walls of the house, read from the code: who imports whom, who does I/O, who asks for the time; house numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
OURS = (
    "telemetry", "registry", "adapters", "gateway", "ingest", "api", "simulators", "kpi_derivation", "reporting",
    "planning", "grafana", "cityvitals", "edge",
)  # fmt: skip

# The diagram: telemetry <- registry <- adapters <- gateway, ingest, simulators, api; telemetry, registry <-
# kpi_derivation <- ingest, reporting, planning, api, grafana; everything <- cityvitals; the firmware imports nothing of
# ours (a test of its own), the tools beside it do, and simulators stand in for its hardware.
MAY_IMPORT: dict[str, set[str]] = {
    "telemetry": set(),
    "registry": {"telemetry"},
    "adapters": {"telemetry", "registry"},
    "gateway": {"telemetry", "registry", "adapters"},
    "kpi_derivation": {"telemetry", "registry"},
    "ingest": {"telemetry", "registry", "adapters", "kpi_derivation"},
    "reporting": {"telemetry", "registry", "adapters", "kpi_derivation"},
    "planning": {"telemetry", "registry", "kpi_derivation"},
    "api": {"telemetry", "registry", "adapters", "kpi_derivation", "reporting", "planning"},
    "simulators": {"telemetry", "registry", "adapters", "edge"},
    "grafana": {"telemetry", "registry", "adapters", "kpi_derivation"},
    "cityvitals": set(OURS),
    "edge": {"telemetry", "registry", "adapters"},
}
IO_LIBRARIES = {"paho", "amqtt", "sqlite3", "influxdb_client", "urllib3", "serial", "requests", "httpx", "socket"}
# Where else than in adapters/ a library that does I/O may be imported.
IO_ELSEWHERE = {
    "edge/firmware": IO_LIBRARIES,  # has no adapters: hal_*.py is its rim
    "simulators/hardware": {"serial", "socket"},  # the other end of a wire
    "cityvitals": {"socket", "amqtt"},  # the demo's broker and its free ports
    "api/server.py": {"socket"},
}
CLOCKS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
# Entry points; api/app.py is the one of the API. adapters/sntp.py compares this very clock with others.
CLOCK_IN = ("cityvitals/", "edge/firmware/", "edge/tools/", "simulators/__main__.py", "api/app.py", "adapters/sntp.py")


@cache
def sources() -> list[Path]:
    """Python files of the house, relative to its root; tests and tools apart."""
    return sorted(p.relative_to(ROOT) for name in OURS for p in (ROOT / name).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules a file imports, inside functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path.parts[0] == "edge", f"{path}:{node.lineno}: a relative import"
            yield node.module or ""


def is_under(path: Path, prefix: str) -> bool:
    return path.as_posix() == prefix or path.as_posix().startswith(prefix.rstrip("/") + "/")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("part", OURS)
def test_a_part_imports_only_what_the_diagram_draws(part: str) -> None:
    wrong = [
        f"{path} imports {name}"
        for path in sources()
        if path.parts[0] == part
        for name in imported(path)
        if (top := name.split(".")[0]) in OURS and top != part and top not in MAY_IMPORT[part]
    ]
    assert wrong == []


def test_the_firmware_imports_nothing_of_ours() -> None:
    firmware = [p for p in sources() if is_under(p, "edge/firmware")]
    assert [f"{p} imports {n}" for p in firmware for n in imported(p) if n.split(".")[0] in OURS] == []


def test_nothing_imports_the_tests() -> None:
    assert [f"{path} imports {n}" for path in sources() for n in imported(path) if n.split(".")[0] == "tests"] == []


def test_grafana_uses_the_catalogue_and_the_bands_of_the_air_index_only() -> None:
    names = {n for path in sources() if path.parts[0] == "grafana" for n in imported(path)}
    assert {n for n in names if n.startswith("kpi_derivation")} <= {
        "kpi_derivation.catalogue",
        "kpi_derivation.rules.indices",
    }


def test_only_adapters_import_libraries_that_do_io() -> None:
    wrong = []
    for path in sources():
        allowed = {lib for prefix, libs in IO_ELSEWHERE.items() if is_under(path, prefix) for lib in libs}
        if path.parts[0] != "adapters":
            wrong += [f"{path} imports {n}" for n in imported(path) if n.split(".")[0] in IO_LIBRARIES - allowed]
    assert wrong == []


def test_the_pure_parts_open_nothing() -> None:
    """Modules of telemetry/ and kpi_derivation/ read no file but the catalogue's own table."""
    wrong = [
        f"{path}:{node.lineno}"
        for path in sources()
        if path.parts[0] in ("telemetry", "kpi_derivation", "planning")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
    ]
    assert wrong == []


def test_only_entry_points_ask_for_the_time() -> None:
    wrong = [
        f"{path}:{node.lineno} {node.value.id}.{node.attr}"
        for path in sources()
        if not path.as_posix().startswith(CLOCK_IN)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    ]
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [p.as_posix() for p in sources() if not ast.get_docstring(tree(p))]
    assert [p for p in silent if not p.endswith("py.typed")] == []


def test_every_function_says_what_it_returns() -> None:
    checked = [p for p in sources() if not is_under(p, "edge/firmware")]
    wrong = [f"{p}:{f.lineno} {f.name}" for p in checked for f in functions(p) if f.returns is None]
    assert wrong == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [p for p in sources() if p.stem in ("utils", "util", "common", "helpers", "misc")] == []


def test_files_are_short() -> None:
    lengths = {p: len((ROOT / p).read_text(encoding="utf-8").splitlines()) for p in sources()}
    middle = median(lengths.values())
    print(f"{len(lengths)} files, median {middle:g} lines, longest {max(lengths.values())}")
    assert {p: n for p, n in lengths.items() if n > 400} == {}
    assert middle < 100


def test_functions_are_short() -> None:
    lengths = [(f.end_lineno or f.lineno) - f.lineno + 1 for p in sources() for f in functions(p)]
    print(f"{len(lengths)} functions, median {median(lengths):g} lines, longest {max(lengths)}")
    assert median(lengths) < 12
