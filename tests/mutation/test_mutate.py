"""The mutation run makes each mistake once, notices a module without tests, and runs as a whole in the long mode."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutation.__main__ import HERE
from tests.mutation.copies import ROOT, Runner, copied
from tests.mutation.mutate import mutants
from tests.mutation.table import page


def test_each_node_gives_one_mistake() -> None:
    source = "def f(a, b):\n    return a < b and not (a + 1 == b)\n"
    found = {m.what for m in mutants(source)}
    assert found == {"and <-> or", "Lt -> LtE", "not x -> x", "Eq -> NotEq", "Add -> Sub", "1 -> 2"}
    assert all(m.source != source and compile(m.source, "f", "exec") for m in mutants(source))


def test_modules_and_their_tests_exist() -> None:
    modules = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    assert modules
    assert [p for module, tests in modules.items() for p in (module, *tests) if not (ROOT / p).is_file()] == []


def test_what_nothing_evaluates_has_no_mutants() -> None:
    source = "@d(frozen=True)\nclass C:\n    a: 1 | 2\n\n    def f(self, b: 3 + 4) -> 5:\n        stop()\n"
    source += "        return zip(a, b, strict=True)\n"
    assert [m.what for m in mutants(source)] == ["call left out"]


def test_a_mistake_in_a_copy_is_noticed_and_the_copy_is_restored(tmp_path: Path) -> None:
    module, tests = "telemetry/windows.py", ["tests/telemetry/test_windows.py"]
    source = (ROOT / module).read_text(encoding="utf-8")
    with Runner(copied(tmp_path)) as runner:
        assert not runner.fails(module, source, tests)
        assert runner.fails(module, source.replace("// width * width", "// width"), tests)
        assert not runner.fails(module, source, tests)
        assert (runner.copy / module).read_text(encoding="utf-8") == source


def test_the_page_keeps_the_rows_of_modules_that_were_not_run() -> None:
    survivors = [{"line": 1, "text": "x", "mistake": "m", "reason": reason} for reason in ("", "same result")]
    first = page("", [{"module": "b.py", "mutants": 11, "of": 30, "survived": survivors}])
    assert first.splitlines()[-1] == "| `b.py` | 11 | 30 | 9 | 1 | 1 | 90 % |"
    both = page(first, [{"module": "a.py", "mutants": 2, "of": 2, "survived": []}]).splitlines()
    assert both[-2:] == ["| `a.py` | 2 | 2 | 2 | 0 | 0 | 100 % |", "| `b.py` | 11 | 30 | 9 | 1 | 1 | 90 % |"]


@pytest.mark.skipif(os.environ.get("CITYVITALS_LONG") != "1", reason="some hours: CITYVITALS_LONG=1")
@pytest.mark.timeout(6 * 3600)
def test_every_survivor_is_justified() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.mutation"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout
