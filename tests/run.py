"""Runs pytest; tests that fail beside others run once more, alone: `python -m tests.run [PYTEST ARGUMENT...]`.

On two processors five files run at once and hundreds of servers start. A test that passes alone afterwards is reported
by name as unsteady and does not fail the run; one that fails twice does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FAILED = Path("build/failed-tests")
MOST = 5  # where more fail, it is not the machine


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Keep the names of the tests that failed: this module is also a plugin of the runs that it starts."""
    bad = [report for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])]
    FAILED.parent.mkdir(exist_ok=True)
    FAILED.write_text("".join(f"{name}\n" for name in sorted({report.nodeid for report in bad})), encoding="utf-8")


def failed() -> list[str]:
    """The tests that failed in the last run."""
    return FAILED.read_text(encoding="utf-8").splitlines() if FAILED.exists() else []


def run(*arguments: str) -> int:
    """pytest's exit status."""
    FAILED.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-p", "tests.run", *arguments]
    return subprocess.run(command, check=False).returncode


def main(arguments: list[str]) -> int:
    """The exit status of the run, or of the second one."""
    status, first = run(*arguments), failed()
    if status != 1 or not 0 < len(first) <= MOST:
        return status
    print(f"\nFailed: {len(first)}. Each runs once more, with nothing beside it:\n")
    status = run(*first)
    for name in first:
        print(f"{'failed twice' if name in failed() else 'unsteady, passes alone'}: {name}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
