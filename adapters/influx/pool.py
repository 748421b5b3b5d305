"""Connections to an InfluxDB server that report when a request has been sent completely.

The next lines are made while the server stores those before. Making them holds Python's interpreter lock, for which the
thread that sends would have to wait several times, and the server for the rest of the request: so it starts only then.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import urllib3

from adapters.unsent import DISCARD

_SENDING_S = 0.1  # how long a request may take to be sent until the next lines are made meanwhile
# Requests in flight: a server of two cores stores 1.4 times as many rows of two as of one, and with a third it has work
# while the next lines are made and sent.
_AT_ONCE = 3
_here = threading.local()  # `sent`: the event of the request that this thread makes


@contextmanager
def reporting(sent: threading.Event) -> Iterator[None]:
    """Set the event when a request of this thread has been sent, at the latest when the block ends."""
    _here.sent = sent
    try:
        yield
    finally:
        _here.sent = None
        sent.set()


class _Reporting:
    """A connection is read when its request has been sent."""

    def getresponse(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - of both variants of urllib3
        if (sent := getattr(_here, "sent", None)) is not None:
            sent.set()
        return super().getresponse(*args, **options)  # type: ignore[misc]


# Named as those of urllib3, because errors that people read name them.
class HTTPConnection(_Reporting, urllib3.connection.HTTPConnection):
    """A connection."""


class HTTPSConnection(_Reporting, urllib3.connection.HTTPSConnection):
    """A connection over TLS."""


class HTTPConnectionPool(urllib3.HTTPConnectionPool):
    """Connections to one server."""

    ConnectionCls = HTTPConnection


class HTTPSConnectionPool(urllib3.HTTPSConnectionPool):
    """Connections to one server over TLS."""

    ConnectionCls = HTTPSConnection


def make_pool(tls: ssl.SSLContext | None) -> urllib3.PoolManager:
    """A pool without retries, of more connections than any process has threads."""
    options = [*urllib3.connection.HTTPConnection.default_socket_options, DISCARD]
    pool = urllib3.PoolManager(maxsize=64, ssl_context=tls, socket_options=options, retries=False)
    pool.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    return pool


class Senders:
    """Threads that write batches, started at the first use: starting them for each put costs a fiftieth of it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="influx")

    def write(self, write: Callable[[bytes], None], batches: Iterator[bytes]) -> None:
        """Write batches that have no row in common, three at a time; the next one is made meanwhile.

        A batch that fails ends it, and no batch is in flight when this returns or raises.
        """
        flying: set[Future[None]] = set()
        try:
            for lines in batches:
                if len(flying) == _AT_ONCE:
                    flying = _answered(flying, FIRST_COMPLETED)
                sent = threading.Event()
                flying.add(self._threads.submit(_write, write, lines, sent))
                sent.wait(_SENDING_S)
            flying = _answered(flying, ALL_COMPLETED)
        finally:
            wait(flying)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()


def _answered(flying: set[Future[None]], when: str) -> set[Future[None]]:
    """Those that are not answered yet. Raises what one of the others raised."""
    done, others = wait(flying, return_when=when)
    for answer in done:
        answer.result()
    return others


def _write(write: Callable[[bytes], None], lines: bytes, sent: threading.Event) -> None:
    with reporting(sent):
        write(lines)
