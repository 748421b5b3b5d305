"""Another package with the name of one of ours is reported by name, before it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cityvitals import own_packages

REPO = Path(__file__).parents[2]


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); from cityvitals.__main__ import main; main()"
    command = [sys.executable, "-c", script, "version"]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


def test_our_packages_are_found_where_this_one_is() -> None:
    packages = {p.parent.name for p in REPO.glob("*/__init__.py")} - {"tests", "tools", "cityvitals", "deploy", "docs"}
    assert packages - set(own_packages.NAMES) == set()
    assert own_packages.foreign() is None


def test_a_foreign_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "grafana").mkdir()
    (tmp_path / "grafana" / "__init__.py").write_text("raise SystemExit('imported')")
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path / 'grafana'} hides the package 'grafana' of CityVitals" in done.stderr


def test_a_folder_without_ours_in_it_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "anything").mkdir()
    assert run(tmp_path).stdout.count(".") >= 1
