"""Every library the code imports is one it declares, so that what runs here runs on a fresh machine too."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]
EXTRAS = sorted(set(OPTIONAL) - {"dev"})
PACKAGES = (
    "adapters",
    "api",
    "cityvitals",
    "gateway",
    "grafana",
    "ingest",
    "kpi_derivation",
    "registry",
    "reporting",
    "simulators",
    "telemetry",
)
# Libraries that are part of another one's interface: whoever has that one has them.
COMES_WITH = {"starlette": "fastapi", "anyio": "fastapi", "urllib3": "influxdb-client"}
OURS = {*PACKAGES, "edge"}


def names(requirements: list[str]) -> set[str]:
    """The names of distributions, as `pip` compares them."""
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in requirements}


def imported(path: Path) -> Iterator[str]:
    """The top-level names a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_library_a_package_imports_is_declared(package: str) -> None:
    declared = names(PROJECT["dependencies"] + [line for extra in EXTRAS for line in OPTIONAL[extra]])
    distributions = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / package).rglob("*.py")
        for name in imported(path)
        if name not in sys.stdlib_module_names | OURS
        and not names([COMES_WITH.get(name, ""), *distributions.get(name, [name])]) & declared
    }
    assert not undeclared


def test_the_command_starts_without_any_extra() -> None:
    extra = names([line for extra in OPTIONAL.values() for line in extra]) - names(PROJECT["dependencies"])
    missing = [name for name, owners in packages_distributions().items() if names(owners) & extra - {"cityvitals"}]
    # What is None in sys.modules cannot be imported: this is a machine on which only `make setup` was run.
    script = f"import sys; sys.modules.update(dict.fromkeys({missing})); from cityvitals.__main__ import main; main()"
    for arguments in (["--help"], ["demo", "--help"], ["version"]):
        answer = subprocess.run(
            [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
