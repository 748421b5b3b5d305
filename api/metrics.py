"""Metrics of the API in the Prometheus text format 0.0.4.

Without a client library: a dozen lines of text need no global registry, and every application has its own counts.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemetry.kpi_value import StoredKpi

LEFT = "499"  # an answer that nobody waited for, so that it was not made; it is not counted
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Labels = Mapping[str, str]
Sample = tuple[Labels, float]


class Requests:
    """How many requests there were, and how long they took, by method, route and status."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, str, str]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def samples(self) -> Iterator[Sample]:
        """The number of requests per method, route and status."""
        for (method, route, status), n in sorted(self.count.items()):
            yield {"method": method, "route": route, "status": status}, n

    def durations(self) -> Iterator[Sample]:
        """The seconds spent per route; a stream counts until it ends."""
        for route, seconds in sorted(self.seconds.items()):
            yield {"route": route}, seconds


class CountRequests:
    """ASGI middleware that counts into `Requests`. The route's template is the label, never the path of the request."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = "", time.perf_counter()  # none where the client left before there was an answer

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:  # only counted here
            status = status or "500"
            raise
        finally:
            if status not in ("", LEFT):
                route = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in _METHODS else "other"  # a client may invent as many
                self._requests.count[method, route, status] += 1
                self._requests.seconds[route] += time.perf_counter() - began


def freshness(values: Iterable[StoredKpi]) -> list[Sample]:
    """Per KPI part, when any of these values last changed, in Unix seconds."""
    newest: dict[tuple[str, str, str], int] = {}
    for value in values:
        key = (value.kpi.city, value.kpi.code, value.kpi.part)
        newest[key] = max(value.updated, newest.get(key, 0))
    return [({"city": c, "code": k, "part": p}, t / 1000) for (c, k, p), t in sorted(newest.items())]


def family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    """One metric with its help, type and samples."""
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{_labels(labels)} {value:.12g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
