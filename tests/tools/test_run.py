"""Tests that fail beside others run once more alone; what fails twice fails the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import run as runner

TESTS = """
from pathlib import Path
def test_good(): pass
def test_unsteady():
    times = Path("times")
    before = times.read_text() if times.exists() else ""
    times.write_text(before + "x")
    assert before
def test_bad(): assert False
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where some tests are."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take a second to load
    monkeypatch.setenv("PYTHONPATH", str(Path(runner.__file__).parents[1]))
    monkeypatch.chdir(tmp_path)
    Path("test_some.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def test_a_test_that_passes_alone_is_named_and_does_not_fail_the_run(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert runner.main(["-k", "not bad"]) == 0
    assert (folder / "times").read_text() == "xx"
    assert "unsteady, passes alone: test_some.py::test_unsteady\n" in capfd.readouterr().out


def test_a_test_that_fails_twice_fails_the_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert runner.main([]) == 1
    output = capfd.readouterr().out
    assert "failed twice: test_some.py::test_bad\n" in output
    assert "unsteady, passes alone: test_some.py::test_unsteady\n" in output


def test_where_many_fail_none_runs_again(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "test_some.py").write_text("".join(f"def test_{n}(): assert False\n" for n in range(runner.MOST + 1)))
    assert runner.main([]) == 1
    assert "once more" not in capfd.readouterr().out
