"""Each file begins once; those that wait alternate with those that calculate, long ones first."""

from __future__ import annotations

from pathlib import Path

from tests.order import FIRST, WAITING, ordered

TESTS = Path(__file__).resolve().parents[1]


def test_files_that_wait_alternate_with_the_others() -> None:
    names = ["a.py", "firmware/x.py", "page/test_a.py", "chaos/test_storm.py", "b.py", "page/test_walks.py", "a.py"]
    assert ordered(names) == [
        "chaos/test_storm.py", "page/test_walks.py", "firmware/x.py", "page/test_a.py", "a.py", "b.py",
    ]  # fmt: skip


def test_every_place_has_files() -> None:
    names = [str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")]
    assert sorted(ordered(names)) == sorted(names)
    assert [begin for begin in (*FIRST, *WAITING) if not any(name.startswith(begin) for name in names)] == []
