"""The store of commands that read: up to now, whatever a clock that was ahead left behind.

Where a command was given a city file and the store has another one, the log states this and what to do.
"""

from __future__ import annotations

from pathlib import Path

from adapters.past import PastStore
from adapters.store import Store
from adapters.stores import existing_store as opened
from cityvitals.clock import now_ms
from cityvitals.options import GIVEN_FILE


def existing_store(url: str) -> Store:
    """See `adapters.stores.existing_store`. Raises UsageError."""
    store = PastStore(opened(url), now_ms)
    if path := GIVEN_FILE.get():
        GIVEN_FILE.set(None)  # said once
        say_if_older(store, path, url)
    return store


def say_if_older(store: Store, path: Path, url: str) -> None:
    """Warn where the store has another city file than this one, with what differs and the command that helps."""
    from registry.config import load_city  # noqa: PLC0415 - most calls name an id
    from reporting.city_file import warn_of_older  # noqa: PLC0415

    warn_of_older(store, load_city(path), path, url)
