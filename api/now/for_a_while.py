"""Answers about a city that many clients request at once: made once, kept for seconds or a minute."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

from api.shared_store import SharedStore


class Named(Protocol):
    """A city, as its record or its model."""

    @property
    def id(self) -> str: ...  # noqa: D102 - the city's id


City = TypeVar("City", bound=Named)
Answer = TypeVar("Answer")


class ForAWhile(Generic[City, Answer]):
    """What `make` gives of a city, for `keep_ms`. Requests that come together wait for one another and share it."""

    def __init__(self, make: Callable[[City, SharedStore, int], Answer], keep_ms: int) -> None:
        self._make, self._keep = make, keep_ms
        self._kept: dict[str, tuple[int, City, Answer]] = {}
        self._lock = Lock()

    def of(self, city: City, store: SharedStore, now: int) -> Answer:
        """The answer at `now` (ms UTC), younger than `keep_ms`, and of this very city file."""
        with self._lock:
            held = self._kept.get(city.id)
            if held and 0 <= now - held[0] < self._keep and (held[1] is city or held[1] == city):
                return held[2]
            found = self._make(city, store, now)
            self._kept[city.id] = now, city, found
            return found
