"""How many connections one address may hold, and for how long one may stay without a request.

Without such bounds one client that opens connections and sends nothing uses up the files that a process may open. This
machine's own address is exempt (a proxy, a probe), and proxies that are configured.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from adapters.addresses import client_of

SLOW_S = 30.0  # for a request's head to arrive
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
            self._check = self.loop.call_later(slow_s, self._close_idle, None)
            if not open_now.add(self._peer):
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._check.cancel()
            open_now.remove(self._peer)
            super().connection_lost(exc)

        def _close_idle(self, before: Any) -> None:  # noqa: ANN401
            """Close where no request has begun since the last look, and none is being answered."""
            if self.cycle is before and (before is None or before.response_complete):
                self.transport.close()
                return
            self._check = self.loop.call_later(slow_s, self._close_idle, self.cycle)

    return Bounded
