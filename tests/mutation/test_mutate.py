"""The mutation run makes each mistake once, notices a module without tests, and runs as a whole in the long mode."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutation.__main__ import HERE, ROOT, copied, fails
from tests.mutation.mutate import mutants


def test_each_node_gives_one_mistake() -> None:
    source = "def f(a, b):\n    return a < b and not (a + 1 == b)\n"
    found = {m.what for m in mutants(source)}
    assert found == {"and <-> or", "Lt -> LtE", "not x -> x", "Eq -> NotEq", "Add -> Sub", "1 -> 2"}
    assert all(m.source != source and compile(m.source, "f", "exec") for m in mutants(source))


def test_modules_and_their_tests_exist() -> None:
    modules = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    assert modules
    assert [p for module, tests in modules.items() for p in (module, *tests) if not (ROOT / p).is_file()] == []


def test_a_mistake_in_a_copy_is_noticed_and_the_copy_is_restored(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    module, tests = "telemetry/windows.py", ["tests/telemetry/test_windows.py"]
    source = (ROOT / module).read_text(encoding="utf-8")
    assert not fails(copy, module, source, tests)
    assert fails(copy, module, source.replace("// width * width", "// width"), tests)
    assert (copy / module).read_text(encoding="utf-8") == source


@pytest.mark.skipif(os.environ.get("CITYVITALS_LONG") != "1", reason="some hours: CITYVITALS_LONG=1")
@pytest.mark.timeout(6 * 3600)
def test_every_survivor_is_justified() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.mutation"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout
