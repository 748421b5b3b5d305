"""The architecture, read from the code: who imports whom, who does I/O or reads the clock; sizes of files."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
OURS = (
    "telemetry", "registry", "adapters", "gateway", "ingest", "api", "simulators", "kpi_derivation", "reporting",
    "planning", "grafana", "cityvitals", "edge", "page", "scale",
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
    "scale": {"telemetry", "registry", "adapters", "kpi_derivation", "ingest"},
    "reporting": {"telemetry", "registry", "adapters", "kpi_derivation"},
    "planning": {"telemetry", "registry", "kpi_derivation"},
    "api": {"telemetry", "registry", "adapters", "kpi_derivation", "reporting", "planning", "page"},
    "page": set(),
    "simulators": {"telemetry", "registry", "adapters", "edge"},
    "grafana": {"telemetry", "registry", "adapters", "kpi_derivation"},
    "cityvitals": set(OURS),
    "edge": {"telemetry", "registry", "adapters"},
}
IO_LIBRARIES = {
    "paho",
    "amqtt",
    "sqlite3",
    "influxdb_client",
    "psycopg",
    "urllib3",
    "serial",
    "requests",
    "httpx",
    "socket",
} | {
    "aiomqtt",
    "confluent_kafka",
    "grafana_client",
    "pyflink",
}
# Where else than in adapters/ a library that does I/O may be imported.
IO_ELSEWHERE = {
    "edge/firmware": IO_LIBRARIES,  # has no adapters: its rim is hal
    "simulators/hardware": {"serial", "socket"},  # the other end of a wire
    "grafana/push.py": {"grafana_client"},
    "cityvitals": {"socket", "amqtt"},  # the demo's broker and its free ports
    "api/server.py": {"socket"},
    "scale/flink_job.py": {"pyflink"},  # what the engine runs
}
# Entry points; api/app.py is the one of the API. adapters/sntp.py compares this very clock with others; the virtual
# hardware has the board's clock.
CLOCK_IN = (
    "cityvitals/", "edge/firmware/", "edge/tools/", "simulators/__main__.py", "simulators/hardware/esp32_api/",
    "api/app.py", "adapters/sntp.py",
)  # fmt: skip


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


def test_no_test_changes_the_clock_of_other_threads() -> None:
    """Servers that tests share sleep by it: one that looked meanwhile would sleep on for as long as the test lied."""
    pattern = re.compile(r"""setattr\(\s*(?:time,|["'](?:[\w.]+\.)?time\.\w+["'])""")
    files = {p.relative_to(ROOT): p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py")}
    assert [str(path) for path, text in files.items() if pattern.search(text)] == []


def test_nothing_imports_the_tests() -> None:
    assert [f"{path} imports {n}" for path in sources() for n in imported(path) if n.split(".")[0] == "tests"] == []


def test_grafana_uses_the_catalogue_and_the_bands_of_the_air_index_only() -> None:
    names = {n for path in sources() if path.parts[0] == "grafana" for n in imported(path)}
    assert {n for n in names if n.startswith("kpi_derivation")} <= {
        "kpi_derivation.catalogue",
        "kpi_derivation.rules.air.indices",
    }


def test_only_adapters_import_libraries_that_do_io() -> None:
    wrong = []
    for path in sources():
        allowed = {lib for prefix, libs in IO_ELSEWHERE.items() if is_under(path, prefix) for lib in libs}
        if path.parts[0] != "adapters":
            wrong += [f"{path} imports {n}" for n in imported(path) if n.split(".")[0] in IO_LIBRARIES - allowed]
    assert wrong == []


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    names = {}
    for path in sources():
        parts = path.with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def needed(path: Path) -> set[str]:
    """Modules of ours that a file imports anywhere: at its head, in a function, or only for types."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & modules().keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of more than one module that reach each other."""
    reach = {name: _reached(graph, name) for name in graph}
    together = {frozenset(m for m in reach[name] if name in reach[m]) for name in graph if name in reach[name]}
    return sorted(sorted(group) for group in together if group)


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = [*graph[start]]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += graph[name]
    return found


def test_there_is_no_circle_of_imports_of_any_kind() -> None:
    # A package names the modules that it loads itself; that they import it back is not a circle of ours.
    graph = {name: needed(path) - {name} for name, path in modules().items()}
    assert circles(graph) == []


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


# Rooms whose modules are functions of values; with what they may nevertheless read: tables that belong to the code.
PURE = ("telemetry", "kpi_derivation", "planning", *(f"reporting/{room}" for room in ("figures", "proof")))
PURE_FILES = (
    "comparison", "ngsi", "open_rows", "scoring", "tables", "targets", "trend", "wheel", "goals/progress", "goals/text",
    "evidence/canonical", "evidence/enclosed", "evidence/manifest", "evidence/merkle", "evidence/recomputed",
    "files/gbfs", "files/geojson", "files/plane",
)  # fmt: skip
OWN_TABLES = ("kpi_derivation/catalogue/__init__.py",)
DATABASES_AND_FILES = {
    "codecs", "fileinput", "fcntl", "glob", "gzip", "bz2", "lzma", "zipfile", "tarfile", "mmap", "os", "pathlib",
    "shelve", "shutil", "subprocess", "tempfile", "dbm", "select", "socketserver", "http", "ftplib", "urllib",
}  # fmt: skip
OPENERS = {"open", "print", "input", "exec", "eval", "__import__"}
FILE_CALLS = {
    "open", "fdopen", "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "mkdir", "iterdir", "rglob",
    "loadtxt", "savetxt", "genfromtxt", "fromfile", "tofile", "memmap", "read_csv", "to_csv",
}  # fmt: skip
# Reads of a store or of the figures beside it, which their names say.
STORE_READERS = ("reporting/figures/stored.py", "reporting/proof/explain.py")


def pure_files() -> Iterator[Path]:
    for path in sources():
        name = path.as_posix()
        of_room = any(is_under(path, room) for room in PURE) or name in {f"reporting/{f}.py" for f in PURE_FILES}
        if of_room and name not in (*OWN_TABLES, *STORE_READERS):
            yield path


def file_access(source: ast.Module) -> Iterator[str]:
    """Every spelling by which a module may reach a file, the console, or code that is made at run time."""
    calls = (node for node in ast.walk(source) if isinstance(node, ast.Call) and node.args)
    mapped = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "mmap")
    of_memory = {id(call.func) for call in mapped if ast.unparse(call.args[0]) == "-1"}  # `mmap.mmap(-1, ...)`: no file
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names if (a.name, a.asname) != ("mmap", None)]
            yield from (name for name in names if name.split(".")[0] in DATABASES_AND_FILES | IO_LIBRARIES)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.split(".")[0] in DATABASES_AND_FILES | IO_LIBRARIES or module in ("importlib.resources", "io"):
                in_memory = ("StringIO", "BytesIO", "PurePath")
                yield from (f"{module}.{a.name}" for a in node.names if a.name not in in_memory)
        elif isinstance(node, ast.Name) and node.id in OPENERS:
            yield node.id  # called or passed on
        elif isinstance(node, ast.Attribute):
            of_numpy = isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy")
            of_file = node.attr == "mmap" and id(node) not in of_memory
            if of_file or node.attr in FILE_CALLS or (of_numpy and node.attr in ("load", "save", "savez")):
                yield ast.unparse(node)


def test_pure_rooms_reach_no_file_by_any_spelling() -> None:
    assert [f"{path}: {use}" for path in pure_files() for use in file_access(tree(path))] == []


@pytest.mark.parametrize(
    "line",
    [
        "open('x')", "f = open", "from pathlib import Path", "import os.path", "import sqlite3",
        "import io\nio.open('x')",
        "p.read_text()", "np.fromfile(x)", "np.load(x)", "from io import open", "from importlib.resources import files",
        "eval('open')", "print(1)", "(folder / name).write_bytes(b'')",
        "import mmap\nmmap.mmap(3, 8)", "import mmap\nf = mmap.mmap", "import mmap as m", "from mmap import mmap",
    ],
)  # fmt: skip
def test_every_spelling_of_file_access_is_found(line: str) -> None:
    assert list(file_access(ast.parse(line)))
    assert not list(file_access(ast.parse("import mmap\nmmap.mmap(-1, 8)")))


CLOCK_NAMES = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "clock_gettime", "clock_gettime_ns"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}


def clocks(source: ast.Module) -> Iterator[str]:
    """Every spelling by which a module may ask for the present time."""
    names: dict[str, str] = {}  # local name -> what it stands for
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            names |= {a.asname or a.name: a.name for a in node.names if a.name in ("time", "datetime")}
        elif isinstance(node, ast.ImportFrom) and node.module == "datetime":
            names |= {a.asname or a.name: a.name for a in node.names if a.name in ("datetime", "date")}
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"from time import {a.name}" for a in node.names if a.name in CLOCK_NAMES["time"] | {"*"})
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute):
            of = node.value
            known = names.get(of.id, "") if isinstance(of, ast.Name) else ""
            base = of.attr if isinstance(of, ast.Attribute) else known
            if node.attr in CLOCK_NAMES.get(base, set()):
                yield ast.unparse(node)


def test_only_entry_points_ask_for_the_time() -> None:
    others = [path for path in sources() if not path.as_posix().startswith(CLOCK_IN)]
    asked = [(path, use) for path in others for use in clocks(tree(path))]
    assert [f"{path}: {use}" for path, use in asked] == []


@pytest.mark.parametrize(
    "line",
    [
        "import time\ntime.time()", "import time as t\nt.time_ns()", "from time import time", "from time import *",
        "from datetime import datetime\ndatetime.now(UTC)", "import datetime as dt\ndt.datetime.now()",
        "import datetime\ndatetime.date.today()", "from datetime import date as d\nd.today()",
        "import time\nclock = time.time", "from datetime import datetime as D\nD.utcnow()",
    ],
)  # fmt: skip
def test_every_spelling_of_the_clock_is_found(line: str) -> None:
    assert list(clocks(ast.parse(line)))


def test_every_module_says_what_it_is_for() -> None:
    silent = [p.as_posix() for p in sources() if not ast.get_docstring(tree(p))]
    assert [p for p in silent if not p.endswith("py.typed")] == []


def test_every_function_says_what_it_returns() -> None:
    checked = [p for p in sources() if not is_under(p, "edge/firmware")]
    wrong = [f"{p}:{f.lineno} {f.name}" for p in checked for f in functions(p) if f.returns is None]
    assert wrong == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [p for p in sources() if p.stem in ("utils", "util", "common", "helpers", "misc")] == []


# Folders whose files are entries of one kind, found by their presence: their number is how much there is of it.
REGISTRIES = {
    "cityvitals/cli", "edge/firmware/sensors", "gateway/formats", "grafana/definitions",
    "kpi_derivation/catalogue", "planning/transforms",
}  # fmt: skip


def test_no_room_has_more_than_twenty_modules_on_one_level() -> None:
    beside = (p.relative_to(ROOT) for name in ("tests", "tools") for p in (ROOT / name).rglob("*.py"))
    rooms = Counter(p.parent.as_posix() for p in (*sources(), *beside) if p.name != "__init__.py")
    print(", ".join(f"{room} {n}" for room, n in rooms.most_common(6)))
    assert {room: n for room, n in rooms.items() if n > 20 and room not in REGISTRIES} == {}


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
    assert max(lengths) <= 50
