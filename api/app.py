"""The application: routes, errors and middleware.

metrics > security headers > access > shared answers > gzip > HEAD > ETag > signature > routes > SharedStore > store
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from adapters.past import PastStore
from adapters.store import Store
from api.access import Access, Limiter, TokenFile
from api.assets.page_files import Tiles, add_page
from api.index_feed import SignFeed
from api.live import Hub
from api.metrics import CountRequests, Requests
from api.middleware.etag import ETagMiddleware
from api.middleware.head import HeadAsGet
from api.middleware.security import SecurityHeaders, origin_of
from api.middleware.together import SharedAnswers
from api.model import Problem
from api.now.suspects import Suspects
from api.problems import add_handlers
from api.routes import routers
from api.settings import ApiSettings
from api.shared_store import SharedStore
from api.state import State


def now_ms() -> int:
    """UTC ms of the system clock."""
    return time.time_ns() // 1_000_000


def create_app(settings: ApiSettings, store: Store, clock: Callable[[], int] = now_ms) -> FastAPI:
    """The application on `store`, which nothing else may use. Raises CityVitalsError where a part is missing."""
    app = FastAPI(
        title=settings.title, docs_url=None, redoc_url=None, description=_DESCRIPTION, generate_unique_id_function=_name
    )
    shared = SharedStore(PastStore(store, clock))
    hub = Hub(shared, settings.poll_s, settings.beat_s, clock, settings.max_live)
    tokens = TokenFile(settings.tokens) if settings.tokens else None
    public = settings.public or (tokens is None and settings.people is None)
    state = State(
        shared, hub, Requests(), clock, settings.limits, public, settings.tokens, settings.operator,
        suspects=Suspects(settings.wait_s), sessions=settings.sessions, people=settings.people,
    )  # fmt: skip
    app.state.cityvitals = state
    for router in routers():
        app.include_router(router)
    tiles = Tiles(settings.tiles, settings.tiles_attribution)
    if settings.tile_file is not None:
        from api.assets.tile_file import add_tiles  # noqa: PLC0415 - few servers have tiles of their own

        tiles = add_tiles(app, settings.tile_file, settings.tiles_attribution)
    add_page(app, tiles, settings.ground)
    add_handlers(app)
    if settings.signing_key:
        app.add_middleware(SignFeed, key=settings.signing_key)
    app.add_middleware(ETagMiddleware)
    app.add_middleware(HeadAsGet, stream="/v1/live")
    app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    app.add_middleware(SharedAnswers, apart=("/v1/live", "/v1/login"))
    limiter = Limiter(settings.rate, settings.burst)
    app.add_middleware(Access, tokens=tokens, limiter=limiter, public=public, people=settings.people)
    app.add_middleware(SecurityHeaders, images=origin_of(tiles.url))
    app.add_middleware(CountRequests, requests=state.requests)
    app.openapi = _with_problem(app.openapi)  # type: ignore[method-assign]
    return app


def _name(route: APIRoute) -> str:
    return route.name


def _with_problem(describe: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The description with the schema of errors, to which every route refers."""

    def described() -> dict[str, Any]:
        schema = describe()
        schema.setdefault("components", {}).setdefault("schemas", {}).setdefault("Problem", Problem.model_json_schema())
        return schema

    return described


_DESCRIPTION = """U4SSC key performance indicators of cities, live from their sensors.

Every value has a coverage in time (`coverage`), a derivation (`method`) and a `status`. A value that does not exist is
null, never 0. Errors are problem details (RFC 9457)."""
