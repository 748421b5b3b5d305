"""Every library the code imports is one it declares, so that what runs here runs on a fresh machine too."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from registry.extras import EXTRA_OF, install_command

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]
packages_distributions = functools.cache(metadata.packages_distributions)  # reads every package's metadata
EXTRAS = sorted(set(OPTIONAL) - {"dev"})
PACKAGES = (
    "adapters",
    "api",
    "cityvitals",
    "gateway",
    "grafana",
    "ingest",
    "kpi_derivation",
    "planning",
    "registry",
    "reporting",
    "simulators",
    "telemetry",
)
# Libraries that are part of another one's interface: who installs that one has them.
COMES_WITH = {"starlette": "fastapi", "anyio": "fastapi", "urllib3": "influxdb-client"}
OURS = {*PACKAGES, "edge", "page"}
NOT_NEEDED = {"pandas", "polars"}  # used by `Table` where the user has installed them
BOARD = "esp32_api"  # imports the modules of a board, of which it is a model
CITY = """
[city]
id = "town"
name = "Town"
country = "GB"
timezone = "UTC"

[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 86400
"""


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
        if BOARD not in path.parts
        for name in imported(path)
        if name not in sys.stdlib_module_names | OURS | NOT_NEEDED
        and not names([COMES_WITH.get(name, ""), *distributions.get(name, [name])]) & declared
    }
    assert not undeclared


def without_extras(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as on a machine that has the core's libraries alone."""
    extra = names([line for extra in OPTIONAL.values() for line in extra]) - names(PROJECT["dependencies"])
    missing = [name for name, owners in packages_distributions().items() if names(owners) & extra - {"cityvitals"}]
    # What is None in sys.modules cannot be imported.
    script = f"import sys; sys.modules.update(dict.fromkeys({missing})); from cityvitals.__main__ import main; main()"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["version"]])
def test_the_command_starts_without_any_extra(arguments: list[str]) -> None:
    answer = without_extras(*arguments)
    assert answer.returncode == 0, answer.stderr


def test_recorded_data_is_replayed_and_shown_without_any_extra(tmp_path: Path) -> None:
    city, csv, store = tmp_path / "city.toml", tmp_path / "meter.csv", f"sqlite:///{tmp_path}/city.db"
    city.write_text(CITY)
    csv.write_text("time,device,quantity,value,unit\n2018-01-01T00:00:00Z,m1,energy_delta,1.5,kWh\n")
    replayed = without_extras("replay", csv, "--city", city, "--store", store)
    assert replayed.returncode == 0, replayed.stderr
    shown = without_extras(
        "kpi", "show", "--city", "town", "--store", store, "--period", "2018-01-01", "--code", "LOCAL:E:METERED",
        "--format", "json",
    )  # fmt: skip
    assert [row["value"] for row in json.loads(shown.stdout)] == [1.5], shown.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(["gateway"], "gateway"), (["ingest"], "gateway"), (["api"], "central"), (["enrol", "device", "x"], "node")],
)
def test_a_command_whose_libraries_are_missing_names_the_extra(arguments: list[str], extra: str) -> None:
    answer = without_extras(*arguments)
    assert answer.returncode == 1, answer.stderr
    assert answer.stderr.endswith(f"run: {install_command(extra)}\n")


def test_each_library_of_an_extra_is_reported_with_an_extra_that_contains_it() -> None:
    def contents(extra: str) -> set[str]:
        nested = {part for line in OPTIONAL[extra] for part in re.findall(r"\[(.*)\]", line)}
        return names(OPTIONAL[extra]).union(*(contents(e) for part in nested for e in part.split(",")))

    distributions = packages_distributions()
    wrong = {
        module: extra
        for module, extra in EXTRA_OF.items()
        if not names(distributions.get(module, [])) & contents(extra)
    }
    assert wrong == {}


def locked(path: str) -> dict[str, str]:
    """Version of each library of a lock file."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", "\n".join(lines), re.M))


def needed(extras: list[str]) -> list[Requirement]:
    """Requirements of the core and these extras, nested ones too, of this platform."""
    found = [Requirement(line) for line in PROJECT["dependencies"]]
    for extra in extras:
        for line in map(Requirement, OPTIONAL[extra]):
            found += needed(sorted(line.extras)) if line.name == "cityvitals" else [line]
    return [line for line in found if line.marker is None or line.marker.evaluate()]


@pytest.mark.parametrize(
    ("path", "extras"),
    [("requirements-dev.lock", ["dev"]), ("deploy/requirements.lock", ["gateway", "central", "influx"])],
)
def test_a_lock_file_covers_what_is_declared(path: str, extras: list[str]) -> None:
    versions = locked(path)
    wrong = [
        str(line)
        for line in needed(extras)
        if (version := versions.get(canonicalize_name(line.name))) is None or version not in line.specifier
    ]
    assert wrong == [], f"{path} is out of date; run: make lock"


def test_the_container_gets_the_versions_that_are_tested() -> None:
    tested, shipped = locked("requirements-dev.lock"), locked("deploy/requirements.lock")
    assert shipped
    assert {name: v for name, v in shipped.items() if tested.get(name) != v} == {}


@pytest.mark.parametrize("path", ["requirements-dev.lock", "deploy/requirements.lock"])
def test_a_lock_file_has_hashes_and_names_no_server(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text.count("\n    --hash=sha256:") >= len(locked(path))
    assert [line for line in text.splitlines() if "://" in line or line.startswith("-")] == []
