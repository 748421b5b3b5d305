"""A running API over a seeded store."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Store
from api.server import ApiServer
from api.settings import ApiSettings
from tests.api.city import NOW, seed
from tests.processes import busy, wait_for


def _place(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame else "its end"


@contextmanager
def running(
    store: Store, clock: Callable[[], int] = lambda: NOW, beat_s: float = 15.0, tokens: Path | None = None, **more: Any
) -> Iterator[str]:
    """The API in a thread of its own, on a free port; yields its address and stops it. `more`: further settings."""
    given = {"port": 0, "poll_s": 0.02, "beat_s": beat_s, "tokens": tokens, "wait_s": 60, **more}
    server = ApiServer(ApiSettings(**given), store, clock)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the API to start")
        yield server.url
    finally:
        server.stop()
        thread.join(15 * busy())
    assert not thread.is_alive(), f"the API did not stop, it is in:\n{_place(thread)}"


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store file with the made-up city; not to be changed."""
    path = tmp_path_factory.mktemp("api") / "seeded.db"
    store = SqliteStore(path)
    seed(store)
    store.close()
    return path


@pytest.fixture(scope="session")
def url(seeded: Path) -> Iterator[str]:
    """The API over the seeded store."""
    store = SqliteStore(seeded)
    with running(store) as address:
        yield address
    store.close()


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[httpx.Client]:
    """A client of the API over the seeded store."""
    with httpx.Client(base_url=url, trust_env=False) as made:
        yield made


@pytest.fixture
def serving() -> Iterator[Callable[..., str]]:
    """Start an API over a store of the test's own: `serving(store)` gives its address."""
    with ExitStack() as stack:
        yield lambda store, **options: stack.enter_context(running(store, **options))
