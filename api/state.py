"""Shared state of the routes: store, hub of live events, request counts; and the city of a path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from threading import Lock, Semaphore
from typing import Annotated, Any, cast

from anyio import from_thread
from fastapi import Depends, Path, Request

from adapters.store import CityRecord
from api.device_reads import Heard, heard
from api.live import Hub
from api.login.people import People
from api.metrics import Requests
from api.middleware.left import has_left
from api.now.for_a_while import ForAWhile
from api.now.freshness import until
from api.now.recent import Seen, seen
from api.now.senders import count_of
from api.now.suspects import Suspects
from api.operator import Operator
from api.problems import Left, NotFound
from api.shared_store import SharedStore
from registry.city import City
from registry.health import STANDARD, Limits
from telemetry.errors import Unavailable, nearest
from telemetry.windows import MINUTE

SOON = 5000  # ms
_LOOK_S = 0.5
_BUSY = "Another plan is being calculated; send the request again in some seconds."


class Turns:
    """One long calculation at a time: plans keep a core busy for seconds, and other requests must not wait for them.

    Each that waits holds one of the threads that answer requests, of which there are forty: so only a few may.
    """

    wait_s = 20.0
    most_waiting = 8

    def __init__(self) -> None:
        self.lock = Lock()
        self._places = Semaphore(self.most_waiting)

    @contextmanager
    def turn(self, left: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Calculate alone. Raises Unavailable (503 with Retry-After) after waiting for another calculation, and at once
        where several wait. `left`: whether the client has left; then Left is raised and nothing is calculated.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable(_BUSY)
        try:
            self._wait(left)
        finally:
            self._places.release()
        try:
            yield
        finally:
            self.lock.release()

    def _wait(self, left: Callable[[], bool]) -> None:
        looks = max(round(self.wait_s / _LOOK_S), 1)
        for _ in range(looks):
            if self.lock.acquire(timeout=self.wait_s / looks):
                break
            if left():
                raise Left
        else:
            raise Unavailable(_BUSY)
        if left():
            self.lock.release()
            raise Left


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
    recent: ForAWhile[City, Seen] = field(default_factory=lambda: ForAWhile(seen, MINUTE))
    suspects: Suspects = field(default_factory=Suspects)
    freshness: ForAWhile[CityRecord, int | None] = field(default_factory=lambda: ForAWhile(until, SOON))
    fleets: ForAWhile[City, Heard] = field(default_factory=lambda: ForAWhile(heard, SOON))
    unregistered: ForAWhile[CityRecord, int] = field(default_factory=lambda: ForAWhile(count_of, MINUTE))
    plans: Turns = field(default_factory=Turns)
    sessions: FilePath | None = None
    people: People | None = None
    forecasts: dict[tuple[str, str, str, int], dict[str, Any]] = field(default_factory=dict)

    def token_file(self) -> FilePath:
        """The token file. Raises NotFound without one."""
        if self.tokens is None:
            raise NotFound("This server has no token file; name one in api.tokens.")
        return self.tokens


def _state(request: Request) -> State:
    return cast(State, request.app.state.cityvitals)


def who_of(request: Request) -> str:
    """The name of the client's token; empty without one."""
    name: str = request.scope.get("cityvitals.who", ("", frozenset()))[0]
    return name


def find_city(store: SharedStore, city: str) -> CityRecord:
    """The city of this id. Raises NotFound naming the nearest."""
    if (found := store.city(city)) is not None:
        return found
    cities = [record.id for record in store.cities()]
    if not cities:
        raise NotFound(f"There is no city '{city}': the store contains none yet. Start a city, or replay its readings.")
    raise NotFound(f"There is no city '{city}'; {nearest(city, cities)}")


StateOf = Annotated[State, Depends(_state)]


async def _left(request: Request) -> Callable[[], bool]:
    return lambda: from_thread.run(has_left, request.receive)


LeftOf = Annotated[Callable[[], bool], Depends(_left)]  # to ask from the thread of a route


def _city(state: StateOf, city: Annotated[str, Path(description="The city's id, see /v1/cities")]) -> CityRecord:
    return find_city(state.store, city)


CityOf = Annotated[CityRecord, Depends(_city)]
