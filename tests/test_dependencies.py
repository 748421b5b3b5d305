"""Every library the code imports is one it declares, so that what runs here runs on a fresh machine too."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = (
    "adapters",
    "api",
    "cityvitals",
    "gateway",
    "grafana",
    "ingest",
    "kpi_derivation",
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
    declared = names(PROJECT["dependencies"])
    if package == "grafana":
        declared |= names(PROJECT["optional-dependencies"]["grafana"])
    if package in ("simulators", "adapters"):
        declared |= names(PROJECT["optional-dependencies"]["node"])
    distributions = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / package).rglob("*.py")
        for name in imported(path)
        if name not in sys.stdlib_module_names | OURS
        and not names([COMES_WITH.get(name, ""), *distributions.get(name, [name])]) & declared
    }
    assert not undeclared
