"""What takes long to make is made once in a run, by the first of the workers that needs it; the others wait for it."""

from __future__ import annotations

import fcntl
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` filled, shared by all workers; nobody may change it."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # each worker has a folder in that of the run
    return made_in(root, name, make)


def made_in(root: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The same in a folder that also other runs use: `name` says all that the result depends on."""
    folder, ready = root / f"once-{name}", root / f"once-{name}.ready"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed, also by the end of the process
        if not ready.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            ready.touch()
    return folder


@contextmanager
def first_alone(root: Path | None) -> Iterator[None]:
    """Of all that have the folder `root`, the first has the block to itself; the others enter when it has left.

    In a fresh checkout the first that reads a test file compiles it and all that it imports, and keeps the result on
    the disk: so the other workers wait for the first one, or each would do the same at the same time.
    """
    if root is None:
        yield
        return
    with (root / "reading.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (root / "read").exists():
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield
        (root / "read").touch()


@contextmanager
def kept() -> Iterator[None]:
    """What is made in the block stays for the whole run: the garbage collector does not look at it, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(700, 10, 100)  # 10 as the last lets it walk through all loaded libraries once a second
        gc.enable()
