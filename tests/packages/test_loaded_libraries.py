"""The run with the lowest versions notices a declared library that its tests do not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packages.loaded_libraries import NOT_LOADED, declared, not_loaded

ROOT = Path(__file__).parents[2]


def test_what_is_declared_is_read_by_its_name_alone() -> None:
    assert {"numpy", "paho-mqtt", "psycopg", "apache-flink", "scikit-learn"} <= declared()
    assert not {"ruff", "atheris"} & declared()


def test_a_library_is_known_by_its_modules() -> None:
    there = not_loaded({"numpy", "paho", "sklearn"})
    assert not {"numpy", "paho-mqtt", "scikit-learn"} & set(there)
    assert {"fastapi", "cbor2"} <= set(there)


def test_what_need_not_be_loaded_is_declared() -> None:
    assert set(NOT_LOADED) <= declared()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_that_leaves_a_library_out_fails_and_names_it(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_one.py").write_text("import cbor2\n\ndef test_one() -> None:\n    assert cbor2\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.packages.loaded_libraries"]
    done = subprocess.run(
        [*command, "-n", workers, "--rootdir", tmp_path, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    [line] = [line for line in done.stdout.splitlines() if line.startswith("The tests loaded nothing of ")]
    assert "fastapi" in line
    assert "cbor2" not in line
