"""Runs the application under uvicorn."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import uvicorn

from adapters.connections import Connections, EndingServer, bounded_http
from adapters.store import Store
from api.app import create_app, now_ms
from api.live import Hub
from api.settings import ApiSettings
from telemetry.errors import CityVitalsError, UsageError

LAST_PORT = 65535


class ApiServer(EndingServer):
    """The server, with its port bound. `run()` blocks; `stop()` ends it from another thread."""

    def __init__(self, settings: ApiSettings, store: Store, clock: Callable[[], int] = now_ms) -> None:
        self._socket = listen(settings.host, settings.port)
        app = create_app(settings, store, clock)
        self._hub: Hub = app.state.cityvitals.hub
        options = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5, lifespan="off",
            limit_concurrency=settings.max_connections,
            http=bounded_http(Connections(2 * settings.max_connections, settings.proxies)),
            ws="none",  # the page listens to events over plain HTTP
            proxy_headers=bool(settings.proxies), forwarded_allow_ips=list(settings.proxies),
        )  # fmt: skip
        super().__init__(options)

    @property
    def url(self) -> str:
        """Its URL."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until stopped or interrupted."""
        super().run(sockets or [self._socket])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams first: they do not end on their own."""
        self._hub.close()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Make `run` return soon."""
        self.should_exit = True


def serve(settings: ApiSettings, store: Store) -> None:
    """Serve until interrupted. Raises UsageError for a port that cannot be used, before anything starts."""
    ApiServer(settings, store).run()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, bound first so that a used port is reported with a sentence. Port 0: any free one."""
    made = None
    if not 0 <= port <= LAST_PORT:
        raise UsageError(f"{port} is not a valid port; choose a --port from 1 to {LAST_PORT}.")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError as error:
        if made is not None:
            made.close()
        raise _not_opened(host, port, error) from error
    return made


def _not_opened(host: str, port: int, error: OSError) -> CityVitalsError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"Port {port} on {host} is used by another program; stop it, or choose another --port.")
    if error.errno == errno.EACCES:
        return UsageError(f"Port {port} needs root permissions; choose a --port above 1023.")
    return UsageError(f"The API cannot listen on {host}, port {port}: {error}. Check --host and --port.")
