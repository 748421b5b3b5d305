"""Shared state of the routes: store, hub of live events, request counts; and the city of a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Annotated, cast

from fastapi import Depends, Path, Request

from adapters.store import CityRecord
from api.live import Hub
from api.metrics import Requests
from api.now.freshness import Freshness
from api.now.recent import Recent
from api.now.senders import Counts
from api.now.suspects import Suspects
from api.operator import Operator
from api.problems import NotFound
from api.shared_store import SharedStore
from registry.health import STANDARD, Limits
from telemetry.errors import nearest


@dataclass(frozen=True, slots=True)
class State:
    """The state of one application. `public`: everybody may read, without a token."""

    store: SharedStore
    hub: Hub
    requests: Requests
    clock: Callable[[], int]
    limits: Limits = STANDARD
    public: bool = True
    tokens: FilePath | None = None
    operator: Operator = field(default_factory=Operator)
    recent: Recent = field(default_factory=Recent)
    suspects: Suspects = field(default_factory=Suspects)
    freshness: Freshness = field(default_factory=Freshness)
    unregistered: Counts = field(default_factory=Counts)

    def token_file(self) -> FilePath:
        """The token file. Raises NotFound without one."""
        if self.tokens is None:
            raise NotFound("This server has no token file; name one in api.tokens.")
        return self.tokens


def _state(request: Request) -> State:
    return cast(State, request.app.state.cityvitals)


def find_city(store: SharedStore, city: str) -> CityRecord:
    """The city of this id. Raises NotFound naming the nearest."""
    if (found := store.city(city)) is not None:
        return found
    cities = [record.id for record in store.cities()]
    if not cities:
        raise NotFound(f"There is no city '{city}': the store contains none yet. Start a city, or replay its readings.")
    raise NotFound(f"There is no city '{city}'; {nearest(city, cities)}")


StateOf = Annotated[State, Depends(_state)]


def _city(state: StateOf, city: Annotated[str, Path(description="The city's id, see /v1/cities")]) -> CityRecord:
    return find_city(state.store, city)


CityOf = Annotated[CityRecord, Depends(_city)]
