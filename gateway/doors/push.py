"""HTTP push: devices and services POST their readings. `200` (or `204`) means: on disk; `503` with Retry-After: not.

The path is the address that sources match (`push/<family>`, `write`, `api/v2/write` ...); the header X-Sensor and the
query's `precision` are levels of it. A source with a token requires it: as bearer, as password, or as `token` in the
query. InfluxDB's `ping` and `health` are answered, because its clients request them first.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging
import threading
import time
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.connections import Connections, EndingServer, bounded_http
from gateway.doors.inbox import Inbox
from gateway.incoming import Incoming
from gateway.routes import Source
from gateway.source_check import check_push
from registry.settings import PushSettings
from telemetry.errors import UsageError
from telemetry.topics import matcher

log = logging.getLogger(__name__)

_RETRY_S = 10
_WAIT_S = 60.0  # for a commit; after that the sender gets 503 and retries
_MOST_BYTES = 32 << 20  # of bodies that are being received; then 503, so that the sender retries
_GRACE_S = 2  # at the end, for requests in flight; the stop waits for 5 s


class PushDoor:
    """One HTTP server for the sources with the door "push"."""

    def __init__(self, settings: PushSettings, sources: Sequence[Source], inbox: Inbox) -> None:
        self._settings, self._inbox = settings, inbox
        self._receiving = 0  # bytes of bodies that are not complete
        self._known = [(matcher(s.topic), s) for s in sources if s.door == "push"]
        check_push(settings, sources)
        self._server = self._make_server()
        self._thread: threading.Thread | None = None

    def _make_server(self) -> EndingServer:
        s = self._settings
        app = Starlette(
            routes=[
                Route("/ping", _pong, methods=["GET", "HEAD"]),
                Route("/health", _health, methods=["GET"]),
                Route("/{path:path}", self._push, methods=["POST"]),
            ]
        )
        config = uvicorn.Config(
            app,
            s.host,
            s.port or 0,
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            http=bounded_http(Connections(2 * s.max_connections)),
            limit_concurrency=s.max_connections,
            ssl_certfile=s.cert,
            ssl_keyfile=s.key,
            ssl_ca_certs=str(s.client_ca) if s.client_ca else None,
            ssl_cert_reqs=2 if s.client_ca else 0,
        )
        return EndingServer(config)

    def start(self) -> None:
        """Listen. Raises UsageError where the port is taken."""
        self._thread = threading.Thread(target=self._serve, name="push", daemon=True)
        self._thread.start()
        until = time.monotonic() + 10
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                place = f"{self._settings.host}:{self._settings.port}"
                raise UsageError(
                    f"HTTP push cannot listen on {place}: is the port taken? Set `port` in [gateway.push]."
                )
            time.sleep(0.01)
        log.info("HTTP push on %s:%d", self._settings.host, self.port)

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.serve())
        except SystemExit:  # how uvicorn reports that it cannot listen
            return

    @property
    def port(self) -> int:
        """The port it listens on, also where 0 is configured."""
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Answer the requests in flight and stop."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(5)

    async def _push(self, request: Request) -> Response:
        address = _address(request)
        sources = [s for match, s in self._known if match(address) is not None]
        if not sources:
            return PlainTextResponse("no source is configured for this path\n", 404)
        if not any(_may(request, s.token) for s in sources):
            return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        future = self._inbox.deliver([Incoming(address, body)])
        try:
            stored = await asyncio.wait_for(asyncio.wrap_future(future), _WAIT_S)
        except TimeoutError:
            stored = False
        if not stored:
            return PlainTextResponse("cannot be stored now\n", 503, {"Retry-After": str(_RETRY_S)})
        return Response(status_code=204) if "write" in address else PlainTextResponse("ok\n")

    async def _body(self, request: Request) -> bytes | Response:
        """The body, or the answer where it is too large, too slow, or too much beside others."""
        body, most_kb = bytearray(), self._settings.max_body_kb
        try:
            async with asyncio.timeout(_WAIT_S):
                async for chunk in request.stream():
                    body += chunk
                    self._receiving += len(chunk)
                    if len(body) > most_kb << 10:
                        return PlainTextResponse(f"more than {most_kb} kB\n", 413)
                    if self._receiving > _MOST_BYTES:
                        return PlainTextResponse("too much at once\n", 503, {"Retry-After": str(_RETRY_S)})
        except ClientDisconnect:
            return Response(status_code=400)  # for nobody
        except TimeoutError:
            return PlainTextResponse("the body did not arrive\n", 408, {"Connection": "close"})
        finally:
            self._receiving -= len(body)
        return bytes(body)


async def _pong(_: Request) -> Response:
    return Response(status_code=204)


async def _health(_: Request) -> Response:
    return JSONResponse({"name": "influxdb", "status": "pass"})


def _address(request: Request) -> str:
    """The path, with X-Sensor and the precision of a write as further levels."""
    address: str = request.path_params["path"].strip("/")
    precision = request.query_params.get("precision", "")
    if address in ("write", "api/v2/write") and precision:
        return f"{address}/{precision[:8]}"
    sensor = request.headers.get("X-Sensor", "")
    return f"{address}/{sensor[:80]}" if sensor and "/" not in sensor and address.count("/") == 1 else address


def _may(request: Request, token: bytes) -> bool:
    """Whether the request shows the token; compared in constant time."""
    if not token:
        return True
    given = [request.query_params.get("token", ""), request.query_params.get("p", "")]
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() in ("bearer", "token"):
        given.append(value.strip())
    elif kind.lower() == "basic":
        try:
            given.append(base64.b64decode(value, validate=True).decode().partition(":")[2])
        except (binascii.Error, UnicodeDecodeError):
            return False
    return any(hmac.compare_digest(g.encode(), token) for g in given)
