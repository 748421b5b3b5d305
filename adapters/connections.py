"""How many connections one address may hold, for how long one may stay without a request or unread, and a server's end.

Without such bounds one client that opens connections and sends nothing uses up the files that a process may open, and
one that reads nothing keeps what it asked for in memory, and the server from ending. This machine's own address is
exempt of the counts (a proxy, a probe), and proxies that are configured.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from adapters.addresses import client_of

SLOW_S = 30.0  # for a request's head to arrive
_LOOKS = 4  # each after SLOW_S, in which a client reads nothing; a system's buffer hides a megabyte of what it reads
_LATE_S = 0.2  # between two looks at connections that were accepted when the server was about to end
_LAST_S = 1.0  # for requests to end whose connection is closed
_OWN = frozenset({"127.0.0.1", "::1"})


class Connections:
    """Open connections. `most`: of all together; a quarter of it of one address (of IPv6: one network of 64 bits)."""

    def __init__(self, most: int, exempt: Iterable[str] = ()) -> None:
        self.most, self.most_of_one = most, max(most // 4, 1)
        self._exempt = _OWN | set(exempt)
        self._open: Counter[str] = Counter()

    def add(self, address: str) -> bool:
        """Count a connection; whether it may stay. `remove` it in any case once it is closed."""
        place = client_of(address)
        self._open[place] += 1
        within = self._open[place] <= self.most_of_one or {address, place} & self._exempt
        return bool(within) and self._open.total() <= self.most

    def remove(self, address: str) -> None:
        """A connection is closed."""
        place = client_of(address)
        self._open[place] -= 1
        if self._open[place] <= 0:
            del self._open[place]


def peer(transport: Any) -> str:  # noqa: ANN401 - transports of several libraries
    """The address of the other end; empty where there is none."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""


def bounded_http(open_now: Connections, slow_s: float = SLOW_S) -> type[asyncio.Protocol]:
    """uvicorn's protocol for HTTP with these bounds: for its option `http`."""
    base: Any = AutoHTTPProtocol

    class Bounded(base):  # type: ignore[misc]
        """One connection."""

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401
            super().connection_made(transport)
            self._peer = peer(transport)
            self._check = self.loop.call_later(slow_s, self._look, None, 0, 0)
            if not open_now.add(self._peer):
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._check.cancel()
            open_now.remove(self._peer)
            super().connection_lost(exc)

        def _look(self, before: Any, unread_before: int, looks: int) -> None:  # noqa: ANN401
            """Close where nothing is read of what waits, or no request is open nor has begun since the last look."""
            unread = self.transport.get_write_buffer_size()
            looks = looks + 1 if unread and unread == unread_before else 0
            if looks >= _LOOKS:
                self.transport.abort()
            elif self.cycle is before and (before is None or before.response_complete) and not unread:
                self.transport.close()
            else:
                self._check = self.loop.call_later(slow_s, self._look, self.cycle, unread, looks)

    return Bounded


class EndingServer(uvicorn.Server):
    """uvicorn's server, which ends also where a client does not read, and soon where one has just connected.

    uvicorn cancels what runs after `timeout_graceful_shutdown` and answers it with an error, for which the unread
    connection has no room: `asyncio.run` would wait for that.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End also connections that are made meanwhile, and close what is still open in the end."""
        late = asyncio.create_task(self._close_late())
        await super().shutdown(sockets)
        late.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_LAST_S)

    async def _close_late(self) -> None:
        """uvicorn asks only those to close that it knows at first: one that was accepted just then would stay."""
        while True:
            await asyncio.sleep(_LATE_S)
            for connection in list(self.server_state.connections):
                if not connection.transport.is_closing():
                    connection.shutdown()
