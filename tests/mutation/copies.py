"""A copy of the repository whose source can be changed, and the process that runs its tests (worker.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CITYVITALS_HYPOTHESIS": "mutation"}
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin")
# In memory where there is such a folder: SQLite waits for the disk at each commit, most of a test's time.
FAST = next((name for name in ("/dev/shm",) if os.access(name, os.W_OK)), None)
CPU_S = 90  # a mistake that makes the tests hang is noticed after so much processor time; without one they need ten


def copied(folder: Path) -> Path:
    """A copy of the versioned files, with the shared data beside it as the tests expect."""
    copy = folder / "repository"
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in (n for n in names if (ROOT / n).is_file()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    if (ROOT.parent / "shared").exists():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return copy


class Runner:
    """Runs tests of a copy; a context manager that ends its process."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        self._worker = subprocess.Popen(
            [sys.executable, "-P", str(ROOT / "tests/mutation/worker.py")],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), **ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fails(self, module: str, source: str, tests: list[str]) -> bool:
        """Whether the tests fail with this source of the module; the copy has the original afterwards."""
        path = self.copy / module
        original = path.read_text(encoding="utf-8")
        path.write_text(source, encoding="utf-8")
        self._forget(path)
        try:
            answer = self._run(tests)
        finally:
            path.write_text(original, encoding="utf-8")
            self._forget(path)
        return answer != "0"

    def _run(self, tests: list[str]) -> str:
        """The exit code of pytest, or `late`."""
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        temporary = f"--basetemp={self.copy.parent / 'tmp'}"
        print(json.dumps([CPU_S, [*OPTIONS, temporary, *tests]]), file=self._worker.stdin, flush=True)
        answer = self._worker.stdout.readline().strip()
        if not answer:
            raise RuntimeError("the process that runs the tests has ended")
        return answer

    @staticmethod
    def _forget(path: Path) -> None:
        """Remove what Python compiled: it compares size and second of the source, which two mutants may share."""
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._worker.stdin is not None
        self._worker.stdin.close()
        self._worker.wait(30)
