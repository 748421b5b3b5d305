"""What several workers need is made by one of them, and made again where that one failed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.once import made_once


def test_two_that_need_it_at_once_make_it_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    begun, may_end, made = threading.Event(), threading.Event(), list[Path]()

    def make(folder: Path) -> None:
        begun.set()
        assert may_end.wait(30)
        (folder / "file").write_text("whole")
        made.append(folder)

    tmp_path_factory.getbasetemp()  # which two threads at once would make twice
    found: list[str] = []
    both = [
        threading.Thread(target=lambda: found.append((made_once(tmp_path_factory, "twice", make) / "file").read_text()))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    assert begun.wait(30)
    may_end.set()
    for thread in both:
        thread.join(30)
    assert (found, len(made)) == (["whole", "whole"], 1)


def test_what_could_not_be_made_is_made_by_the_next(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fail(_: Path) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        made_once(tmp_path_factory, "failed", fail)
    folder = made_once(tmp_path_factory, "failed", lambda folder: (folder / "file").touch())
    assert (folder / "file").exists()
