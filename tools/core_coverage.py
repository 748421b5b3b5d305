"""`python -m tools.core_coverage [--write]`: branch coverage of the core modules by their own tests.

The modules and tests are those of tests/mutation/modules.toml. Prints a short table and each uncovered branch that has
no decision in tests/mutation/branches.toml; with --write, puts the page docs/coverage.md in order. About a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutation.copies import FAST

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"
# No other name begins with that of the data and a dot: coverage would read it as data of another process.
DATA, SETTINGS, REPORT = (ROOT / "build" / f"core-coverage.{end}" for end in ("data", "ini", "json"))
CORE = ("telemetry/", "gateway/", "adapters/", "kpi_derivation/")
HEAD = """# Branch coverage of the core modules

Written by `make coverage ARGS=--write`; `make test` prints the table. Each module is measured by its own tests alone,
those of `tests/mutation/modules.toml`, so that a branch that other tests run through by chance does not count. Below
each branch that they do not run through, with the decision from `tests/mutation/branches.toml`. How many mistakes the
same tests notice is in [Mutation testing](mutation.md).

| module | branches | not covered | lines not run |
|---|---:|---:|---:|
"""


class Branch(NamedTuple):
    """A jump that was not made: module, text of the line it starts at, and of the line it leads to or `exit`."""

    module: str
    line: str
    to: str


def core() -> dict[str, list[str]]:
    """Core module -> its tests."""
    table = tomllib.loads((ROOT / "tests/mutation/modules.toml").read_text(encoding="utf-8"))
    return {module: tests for module, tests in table.items() if module.startswith(CORE)}


def decisions() -> dict[Branch, str]:
    """Uncovered branch -> why there is no test for it."""
    table = tomllib.loads((ROOT / "tests/mutation/branches.toml").read_text(encoding="utf-8"))
    return {Branch(b["module"], b["line"], b["to"]): b["reason"] for b in table.get("branch", [])}


def measured(modules: dict[str, list[str]]) -> dict[str, Any]:
    """Coverage's report by module. Raises SystemExit where a test fails."""
    DATA.parent.mkdir(exist_ok=True)
    environment = {
        **os.environ, "COVERAGE_FILE": str(DATA), "CITYVITALS_HYPOTHESIS": "mutation",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # fmt: skip
    include = "".join(f"\n  {module}" for module in modules)
    SETTINGS.write_text(f"[run]\nbranch = true\ninclude ={include}\n[report]\nexclude_also =\n  if TYPE_CHECKING:\n")
    tests = list(dict.fromkeys(test for tests in modules.values() for test in tests))
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"]
    if FAST:  # SQLite waits for the disk at each commit, most of these tests' time
        options += ["--basetemp", f"{FAST}/cityvitals-coverage-{os.getpid()}"]
    run = [sys.executable, "-m", "coverage", "run", f"--rcfile={SETTINGS}", "-m", "pytest", *options, *tests]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    if FAST:
        shutil.rmtree(options[-1], ignore_errors=True)
    report = [sys.executable, "-m", "coverage", "json", f"--rcfile={SETTINGS}", "-q", "-o", str(REPORT)]
    subprocess.run(report, cwd=ROOT, env=environment, check=True)
    found: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))["files"]
    return found


def uncovered(module: str, found: dict[str, Any]) -> list[Branch]:
    """The branches of a module that were not taken, in the order of its lines."""
    lines = (ROOT / module).read_text(encoding="utf-8").splitlines()
    pairs = sorted(found["missing_branches"])
    return [
        Branch(module, lines[a - 1].strip(), "exit" if b < 0 else lines[b - 1].strip())
        for a, b in pairs
    ]  # fmt: skip


def page(report: dict[str, Any], missing: list[Branch], known: dict[Branch, str]) -> str:
    """The whole document."""
    rows = [
        f"| `{module}` | {found['summary']['num_branches']} | {found['summary']['missing_branches']} "
        f"| {found['summary']['missing_lines']} |"
        for module, found in sorted(report.items())
    ]
    lines = [HEAD + "\n".join(rows)]
    if missing:
        lines.append("\n## Branches that are not covered\n")
        lines += [f"- `{m.module}`: `{m.line}` to `{m.to}`: {known.get(m, 'not decided')}" for m in missing]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Measure, print, and write the page where it is wanted."""
    modules = core()
    report, known = measured(modules), decisions()
    missing = [branch for module in modules if module in report for branch in uncovered(module, report[module])]
    total = sum(found["summary"]["num_branches"] for found in report.values())
    print(f"{'core module':48} branches  not covered")
    for module, found in sorted(report.items()):
        print(f"{module:48} {found['summary']['num_branches']:8}  {found['summary']['missing_branches']:11}")
    print(f"{'all':48} {total:8}  {len(missing):11}  ({100 * (total - len(missing)) / total:.1f} % covered)")
    for branch in missing:
        if branch not in known:
            print(f"not decided in tests/mutation/branches.toml: {branch.module}: {branch.line} -> {branch.to}")
    if arguments == ["--write"]:
        PAGE.write_text(page(report, missing, known), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
