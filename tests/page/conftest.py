"""One server for each file of page tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from tests.api.conftest import running
from tests.once import made_once
from tests.page.city import seed_page


def _seed(folder: Path) -> None:
    store = SqliteStore(folder / "page.db")
    seed_page(store)
    store.close()


@pytest.fixture(scope="session")
def seeded_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with the city of the page's tests; to be copied."""
    return made_once(tmp_path_factory, "page", _seed) / "page.db"


@pytest.fixture(scope="module")
def url(seeded_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A public API over the city of the page's tests; not to be changed."""
    store = SqliteStore(Path(shutil.copy(seeded_page, tmp_path_factory.mktemp("page"))))
    with running(store) as address:
        yield address
    store.close()


@pytest.fixture
def store(seeded_page: Path, tmp_path: Path) -> SqliteStore:
    """A store of the test's own with the same city."""
    return SqliteStore(Path(shutil.copy(seeded_page, tmp_path / "own.db")))


@pytest.fixture
def serving() -> Iterator[Callable[..., str]]:
    """Start an API over a store of the test's own: `serving(store)` gives its address."""
    with ExitStack() as stack:
        yield lambda store, **options: stack.enter_context(running(store, **options))
