"""OCPP: charging stations connect by WebSocket, at ws://host:port/<station>, with HTTP Basic or a client certificate.

1.6-J and 2.0.1. A CALLRESULT is sent once what the call holds is on disk; where it cannot be stored no answer is sent
and the connection is closed, so that the station resends it. Messages are read by the library `ocpp`.

A station has one connection, which a later one replaces. A station that calls too often is slowed down, others are not.
"""

from __future__ import annotations

import asyncio
import hmac
import http
import logging
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from pathlib import Path

from ocpp import messages
from ocpp.exceptions import OCPPError
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from adapters.connections import Connections, peer
from adapters.sqlite.transactions import Transactions
from gateway.doors.inbox import Inbox
from gateway.doors.ocpp_calls import Station
from gateway.senders.budget import Pace, Rate
from gateway.source_check import check_ocpp
from registry.settings import OcppSettings
from telemetry.errors import Rejected, Unavailable, UsageError
from telemetry.periods import iso
from telemetry.topics import valid_id

log = logging.getLogger(__name__)
_LIBRARY = logging.getLogger("gateway.doors.ocpp.websockets")  # a traceback for each failed handshake
_LIBRARY.setLevel(logging.CRITICAL)

_VERSIONS = ("ocpp2.0.1", "ocpp1.6")
_LARGEST = 1 << 20  # bytes of a message
_UNREAD = 2  # messages of a connection that are read ahead: a station waits for the answer to its call
_WAIT_S = 60.0
CALLS = Rate(1_000, 50)  # of a station; the calls of days without a connection fit into the burst
_LINES, _LINES_S = 50, 600.0  # lines of the log that stations cause, within this many seconds
_PACES = 100_000  # stations whose pace is kept
_CLOSE_S = 2.0  # for a station to answer that the connection is closed


class OcppDoor:
    """One WebSocket server. `path`: where open transactions are kept; `clock`: ms UTC."""

    def __init__(self, settings: OcppSettings, inbox: Inbox, path: Path, clock: Callable[[], int]) -> None:
        self._settings, self._inbox, self._clock = settings, inbox, clock
        check_ocpp(settings)
        self._transactions = Transactions(path)
        self._server: Server | None = None
        self._problem: OSError | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ocpp", daemon=True)
        self._open = Connections(settings.max_connections)
        self._paces: dict[str, Pace] = {}
        self._lines, self._lines_until = 0, 0.0
        self.connected: dict[str, ServerConnection] = {}

    def start(self) -> None:
        """Listen. Raises UsageError where the port is taken."""
        self._thread.start()
        until = time.monotonic() + 10
        while self._server is None and self._problem is None and time.monotonic() < until:
            time.sleep(0.01)
        if self._server is None:
            place = f"{self._settings.host}:{self._settings.port}"
            raise UsageError(f"OCPP cannot listen on {place}: {self._problem}. Set `port` in [gateway.ocpp].")
        log.info("OCPP on %s:%d", self._settings.host, self.port)

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None  # noqa: S101 - after start
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def stop(self) -> None:
        """Close the connections and end, also where a station does not answer the closing: it resends what is open."""
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._server.close)
            with suppress(NotYet):
                asyncio.run_coroutine_threadsafe(self._server.wait_closed(), self._loop).result(2 * _CLOSE_S)
            self._server = None
        if self._thread.is_alive():  # it never began where another door could not listen
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        self._transactions.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._server = self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._problem = error
            return
        self._loop.run_forever()

    async def _listen(self) -> Server:
        s = self._settings
        return await serve(
            self._serve,
            s.host,
            s.port or 0,
            subprotocols=[Subprotocol(v) for v in _VERSIONS],
            process_request=self._admit,
            ssl=_tls(s),
            compression=None,  # one read of the socket could hold hundreds of the largest messages
            max_size=_LARGEST,
            max_queue=_UNREAD,
            ping_interval=60,
            ping_timeout=60,
            logger=_LIBRARY,
            create_connection=_counted(self._open),
            close_timeout=_CLOSE_S,
        )

    # -- one connection

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None to accept the connection; else the answer that denies it."""
        name = _station(request.path)
        if not valid_id(name):
            return connection.respond(http.HTTPStatus.NOT_FOUND, "the path names no station\n")
        secret = self._settings.passwords.get(name)
        if secret is None:
            if self._settings.passwords and not self._settings.open:
                return self._deny(connection, name, "is not listed in [gateway.ocpp.passwords]")
            if self._settings.client_ca and not self._settings.open and name not in _certified(connection):
                return self._deny(connection, name, "shows the certificate of another")
            return None
        given = request.headers.get("Authorization", "").partition(" ")[2]
        try:
            user, _, password = b64decode(given, validate=True).decode().partition(":")
        except ValueError:
            user = password = ""
        right = hmac.compare_digest(password.encode(), secret.get_secret_value().encode())
        if user != name or not right:
            return self._deny(connection, name, "sent no password or a wrong one")
        return None

    def _deny(self, connection: ServerConnection, name: str, why: str) -> Response:
        self._log(f"charging station {name} {why}: denied")
        response = connection.respond(http.HTTPStatus.UNAUTHORIZED, "name and password are needed\n")
        response.headers["WWW-Authenticate"] = 'Basic realm="ocpp"'
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        if connection.subprotocol is None:
            await connection.close(1002, "use the subprotocol ocpp1.6 or ocpp2.0.1")
            return
        name = _station(connection.request.path if connection.request else "")
        station = Station(
            name, connection.subprotocol, self._transactions, lambda: iso(self._clock()), self._settings.heartbeat_s
        )
        before, self.connected[name] = self.connected.get(name), connection
        if before is not None:
            self._log(f"charging station {name} has connected again; its earlier connection is closed")
            before.transport.abort()
        pace = self._pace(name)
        try:
            async for raw in connection:
                await asyncio.sleep(pace.wait_s(self._loop.time()))
                answer = await self._answer(station, raw)
                if answer is None:
                    await connection.close(1013, "cannot be stored now")
                    return
                if answer:
                    await connection.send(answer)
        except ConnectionClosed:
            return
        finally:
            if self.connected.get(name) is connection:
                del self.connected[name]

    def _log(self, sentence: str) -> None:
        """One line, unless there were many: any client can cause them."""
        if (now := self._loop.time()) > self._lines_until:
            self._lines, self._lines_until = 0, now + _LINES_S
        self._lines += 1
        if self._lines <= _LINES:
            log.warning("%.300s", sentence)
        elif self._lines == _LINES + 1:
            log.warning("more such lines about stations are left out for ten minutes")

    def _pace(self, name: str) -> Pace:
        """Of a station, over its connections."""
        if name not in self._paces and len(self._paces) >= _PACES:
            del self._paces[next(iter(self._paces))]
        return self._paces.setdefault(name, Pace(CALLS, self._loop.time()))

    async def _answer(self, station: Station, raw: str | bytes) -> str | None:
        """The frame to send; empty for none; None where the station must resend."""
        try:
            call = messages.unpack(raw)
        except OCPPError as error:
            self._log(f"a frame that is not OCPP: {error}")
            return ""
        if not isinstance(call, messages.Call):
            return ""  # an answer to a call of ours, of which there are none
        try:
            answer = station.answer(call.action, call.payload if isinstance(call.payload, dict) else {})
        except Rejected as reason:
            return str(messages.CallError(call.unique_id, "FormationViolation", str(reason), {}).to_json())
        except Unavailable:
            return None
        if answer.messages and not await self._stored(self._inbox.deliver(answer.messages)):
            return None
        return str(messages.CallResult(call.unique_id, answer.result, call.action).to_json())

    async def _stored(self, future: Future[bool]) -> bool:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), _WAIT_S)
        except TimeoutError:
            return False


def _counted(count: Connections) -> type[ServerConnection]:
    """Connections that count among those of their address from the moment they are opened."""

    class Counted(ServerConnection):
        """One connection."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._peer = peer(transport)
            if not count.add(self._peer):
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            count.remove(self._peer)
            super().connection_lost(exc)

    return Counted


def _certified(connection: ServerConnection) -> list[str]:
    """The common names of the certificate that the station has shown."""
    shown = connection.transport.get_extra_info("peercert") or {}
    return [value for names in shown.get("subject", ()) for key, value in names if key == "commonName"]


def _station(path: str) -> str:
    """The last part of the path."""
    return path.partition("?")[0].rstrip("/").rpartition("/")[2]


def _tls(s: OcppSettings) -> ssl.SSLContext | None:
    if s.cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=s.client_ca)
    context.load_cert_chain(s.cert, s.key)
    if s.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
