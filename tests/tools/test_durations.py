"""The summary of a run adds up the right files and workers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.durations import by_file, by_worker, lines


def report(name: str, seconds: float, worker: str = "", stop: float = 0.0) -> Any:
    node = {"node": SimpleNamespace(gateway=SimpleNamespace(id=worker))} if worker else {}
    return SimpleNamespace(nodeid=name, duration=seconds, stop=stop, **node)


RUN = [
    report("tests/a.py::test_1", 30.0, "gw0", 130.0), report("tests/a.py::test_2[x::y]", 40.0, "gw0", 170.0),
    report("tests/b.py::test_1", 50.0, "gw1", 150.0), report("tests/b.py::test_1", 1.5, "gw1", 151.5),
]  # fmt: skip


def test_the_phases_and_tests_of_a_file_are_added_up() -> None:
    assert by_file(RUN) == [(70.0, "tests/a.py"), (51.5, "tests/b.py")]


def test_a_worker_that_was_done_early_is_named() -> None:
    assert by_worker(RUN) == {"gw0": 0.0, "gw1": 18.5}
    assert by_worker([report("tests/a.py::test_1", 1.0)]) == {}


def test_a_short_run_prints_nothing_and_a_long_one_its_files() -> None:
    assert lines(RUN[:1]) == []
    assert lines(RUN) == [
        "122 s of tests in 2 files; the longest:", "   70.0 s  tests/a.py", "   51.5 s  tests/b.py",
        "done before the last test: gw0 0 s, gw1 18 s",
    ]  # fmt: skip
