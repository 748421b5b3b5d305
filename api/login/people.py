"""Sign-ins that have begun and people who are signed in, in memory: after a restart people sign in again.

A browser holds random keys in cookies that scripts cannot read; here are their hashes. A sign-in that comes back must
come from the browser that began it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from api.access import digest
from telemetry.errors import CityVitalsError

_BEGUN_S, _MOST = 600.0, 10_000

Who = tuple[str, frozenset[str]]  # name, scopes


class Provider(Protocol):
    """See adapters/oidc/provider.py."""

    def start(self) -> Any:  # noqa: ANN401 - given back to `finish`
        """A new sign-in; it has the address `url` to go to."""

    def finish(self, started: Any, answer: Mapping[str, str]) -> Any:  # noqa: ANN401
        """Who came back: `name`, and the `values` that give roles. Raises CityVitalsError."""


class NoRole(CityVitalsError):
    """The provider has identified the person, but none of the values of the claim gives a right here."""


@dataclass(slots=True)
class People:
    """`roles`: scope (read, reporter, operator, admin) by value of the provider's claim; `clock`: seconds."""

    provider: Provider
    roles: Mapping[str, str]
    clock: Callable[[], float]
    hours: float = 8.0
    secure: bool = True
    _begun: dict[str, tuple[Any, float]] = field(default_factory=dict)
    _here: dict[str, tuple[Who, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> tuple[str, str]:
        """The provider's address to go to, and the key of this sign-in for the browser. Raises Unavailable."""
        started, key = self.provider.start(), secrets.token_urlsafe(32)
        self._keep(self._begun, key, started, _BEGUN_S)
        return str(started.url), key

    def finish(self, key: str, answer: Mapping[str, str]) -> str:
        """The key of a person who came back with this answer. Raises CityVitalsError; a sign-in ends only once."""
        with self._lock:
            started, until = self._begun.pop(digest(key), (None, 0.0))
        if started is None or until < self.clock():
            raise CityVitalsError("This sign-in is unknown here or took too long.")
        person = self.provider.finish(started, answer)
        scopes = frozenset(self.roles[value] for value in person.values if value in self.roles)
        if not scopes:
            raise NoRole(f"'{person.name}' has no right on this server.")
        made = secrets.token_urlsafe(32)
        self._keep(self._here, made, (person.name, scopes), 3600 * self.hours)
        return made

    def who(self, key: str) -> Who | None:
        """Who signed in with this key; None for nobody, or too long ago."""
        with self._lock:
            who, until = self._here.get(digest(key), (None, 0.0))
        return who if until >= self.clock() else None

    def leave(self, key: str) -> None:
        """Forget a person who signs out."""
        with self._lock:
            self._here.pop(digest(key), None)

    def _keep(self, kept: dict[str, Any], key: str, what: Any, seconds: float) -> None:  # noqa: ANN401
        """Keep it for so long; the oldest go where there are too many."""
        with self._lock:
            now = self.clock()
            for old in [k for k, (_, until) in kept.items() if until < now]:
                del kept[old]
            while len(kept) >= _MOST:
                del kept[next(iter(kept))]
            kept[digest(key)] = (what, now + seconds)
