"""Stores with the made-up city."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.reporting.city import fill


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a January of readings; not to be changed."""
    return fill(tmp_path_factory.mktemp("almby"))


@pytest.fixture
def store(filled: str, tmp_path: Path) -> str:
    """A copy of it for the test alone."""
    path = tmp_path / "almby.db"
    with closing(sqlite3.connect(filled.removeprefix("sqlite:///"))) as old, closing(sqlite3.connect(path)) as new:
        old.backup(new)  # a plain copy would lack what is still in the write-ahead log
    return f"sqlite:///{path}"
