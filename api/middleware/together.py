"""One answer for all clients that ask for the same at the same time.

An answer of a large city takes a quarter of a second of processor time, and a page that many look at is requested by
all of them when something changes. Nothing is kept: an answer is shared only by requests that came before it was begun,
so that nobody gets one that is older than their own request.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_VARIES = ("host", "accept", "accept-encoding", "if-none-match")  # headers on which an answer depends
_SHARED = ("/v1/", "/metrics")
_NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}
_Key = tuple[object, ...]


class _Answer(NamedTuple):
    messages: list[Message]
    route: object


class SharedAnswers:
    """Makes one answer at a time for each path, query and client's rights. `apart`: paths that are not shared."""

    def __init__(self, app: ASGIApp, apart: tuple[str, ...]) -> None:
        self._app, self._apart = app, apart
        self._running: dict[_Key, asyncio.Task[_Answer]] = {}
        self._next: dict[_Key, asyncio.Task[_Answer]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        path: str = scope.get("path", "")
        reads = scope["type"] == "http" and scope["method"] == "GET" and path.startswith(_SHARED)
        if not reads or path.startswith(self._apart):
            await self._app(scope, receive, send)
            return
        # Shielded: the client that asked first may leave while others wait.
        answer = await asyncio.shield(self._task(_key(scope), scope))
        scope["route"] = answer.route  # metrics count by it
        for message in answer.messages:
            await send({**message, "headers": list(message["headers"])} if "headers" in message else message)

    def _task(self, key: _Key, scope: Scope) -> asyncio.Task[_Answer]:
        """An answer that is not begun yet: what is being made may not know what was written since."""
        before = self._running.get(key)
        if before is None:
            task = self._running[key] = asyncio.create_task(self._make(key, dict(scope)))
        elif (waiting := self._next.get(key)) is not None:
            task = waiting
        else:
            task = self._next[key] = asyncio.create_task(self._after(before, key, dict(scope)))
        return task

    async def _after(self, before: asyncio.Task[_Answer], key: _Key, scope: Scope) -> _Answer:
        await asyncio.wait([before])
        self._running[key] = self._next.pop(key)
        return await self._make(key, scope)

    async def _make(self, key: _Key, scope: Scope) -> _Answer:
        messages: list[Message] = []
        body = [_NO_BODY]

        async def receive() -> Message:
            return body.pop() if body else await asyncio.Future()  # nobody of those who wait has left for all

        async def keep(message: Message) -> None:
            messages.append(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            if key not in self._next:
                del self._running[key]
        return _Answer(messages, scope.get("route"))


def _key(scope: Scope) -> _Key:
    headers = Headers(scope=scope)
    asked = scope.get("scheme"), scope["path"], scope.get("query_string", b""), scope.get("cityvitals.who")
    return asked, *(headers.get(name) for name in _VARIES)
