"""`cityvitals api`: the API and the page of a store, until a signal arrives.

Only this module of the long-running commands imports the web framework: a gateway is installed without it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from api.login.people import People
from api.operator import Operator
from api.server import ApiServer
from api.settings import ApiSettings
from cityvitals.memory import steady_heap
from cityvitals.processes import open_answering, until_stopped, when_available
from registry.settings import LOOPBACK, LoginSettings, Settings
from telemetry.errors import UsageError

log = logging.getLogger(__name__)

_LONGEST_STOP_S = 8.0  # a container has 10 s to end


def run_api(settings: Settings, operator: Operator | None = None) -> None:
    """`cityvitals api`. `operator`: what operators may do through it."""
    steady_heap()
    s = settings.api
    if s.tokens is None and s.login is None and not s.public and s.host not in LOOPBACK:
        raise UsageError(
            f"The API would be open to everyone who can reach {s.host}. Name a file of tokens in api.tokens (see"
            " `cityvitals token`), or set `public = true` under [api] to allow it."
        )
    api = ApiSettings(
        host=s.host, port=s.port, poll_s=s.poll_s, tokens=s.tokens, public=s.public, rate=s.rate,
        burst=10 * s.rate, max_live=s.max_live, max_connections=s.max_connections, proxies=tuple(s.proxies),
        limits=settings.health, operator=operator or Operator(), tiles=s.tiles, tiles_attribution=s.tiles_attribution,
        signing_key=s.signing_key, ground=s.ground, tile_file=s.tile_file,
        sessions=s.sessions, people=None if s.login is None else people_of(s.login),
    )  # fmt: skip
    stop = until_stopped()
    store = when_available(lambda: open_answering(settings.store.url), stop)
    _without_the_first_pydantic()
    server = ApiServer(api, store)
    log.info("API and live page on %s", server.url)
    threading.Thread(target=_stop_in_time, args=(stop, server), daemon=True).start()
    server.run()


def _without_the_first_pydantic() -> None:
    """Keep FastAPI from importing `pydantic.v1`, 1.5 MB, for the only purpose of denying its models: we have none.

    FastAPI does without it where it cannot be imported, which is what None stands for here.
    """
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]


def people_of(login: LoginSettings) -> People:
    """Signing in as configured. Raises UsageError for an address that is not safe."""
    from adapters.oidc.provider import Client, Provider  # noqa: PLC0415 - of the extra `login`

    secret = login.client_secret.get_secret_value() if login.client_secret else None
    back = f"{login.address.rstrip('/')}/v1/login/done"
    client = Client(login.issuer, login.client_id, secret, back, login.claim, login.name, login.scope)
    secure = login.address.startswith("https://")
    return People(Provider(client, time.time), login.roles, time.time, login.hours, secure)


def _stop_in_time(stop: Callable[[], bool], server: ApiServer) -> None:
    """Stop the server with the parent process. Then end in bounded time: a calculation in a thread cannot be cancelled.

    Nothing is lost by it: what a request stores, it stores in one transaction.
    """
    while not (stop() or server.should_exit):
        time.sleep(0.5)
    server.stop()
    time.sleep(_LONGEST_STOP_S)
    log.warning("a request has not ended %g s after the signal; the program ends without its answer", _LONGEST_STOP_S)
    os._exit(0)
