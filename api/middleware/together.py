"""One answer for all clients that ask for the same at the same time.

An answer of a large city takes a quarter of a second of processor time, and a page that many look at is requested by
all of them when something changes. Nothing is kept: an answer is shared only by requests that came before it was begun,
so that nobody gets one that is older than their own request. One for which nobody waits any more is not begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.left import has_left, until_left

_VARIES = ("host", "accept", "accept-encoding", "if-none-match")  # headers on which an answer depends
_SHARED = ("/v1/", "/metrics")
_NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}
_Key = tuple[object, ...]


class _Answer(NamedTuple):
    messages: list[Message]
    route: object


class _Making:
    """An answer that is made, or will be after another: `made` is None where all who waited for it had left.

    `clients`: the `receive` of those who wait for it.
    """

    def __init__(self, client: Receive) -> None:
        self.clients = [client]
        self.made: asyncio.Task[_Answer | None]

    def begin(self, making: Coroutine[None, None, _Answer | None]) -> asyncio.Task[_Answer | None]:
        self.made = asyncio.create_task(making)
        return self.made

    async def all_left(self) -> bool:
        """Whether nobody waits any more; one who does is found at once."""
        for client in self.clients:
            if not await has_left(client):
                return False
        return True


class SharedAnswers:
    """Makes one answer at a time for each path, query and client's rights. `apart`: paths that are not shared."""

    def __init__(self, app: ASGIApp, apart: tuple[str, ...]) -> None:
        self._app, self._apart = app, apart
        self._running: dict[_Key, _Making] = {}
        self._next: dict[_Key, _Making] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        path: str = scope.get("path", "")
        reads = scope["type"] == "http" and scope["method"] == "GET" and path.startswith(_SHARED)
        if not reads or path.startswith(self._apart):
            await self._app(scope, receive, send)
            return
        # Shielded: the client that asked first may leave while others wait.
        answer = await asyncio.shield(self._task(_key(scope), scope, receive))
        if answer is None:
            return
        scope["route"] = answer.route  # metrics count by it
        for message in answer.messages:
            await send({**message, "headers": list(message["headers"])} if "headers" in message else message)

    def _task(self, key: _Key, scope: Scope, client: Receive) -> asyncio.Task[_Answer | None]:
        """An answer that is not begun yet: what is being made may not know what was written since."""
        before = self._running.get(key)
        if before is None:
            making = self._running[key] = _Making(client)
            return making.begin(self._make(key, dict(scope), making))
        if (waiting := self._next.get(key)) is not None:
            waiting.clients.append(client)
            return waiting.made
        making = self._next[key] = _Making(client)
        return making.begin(self._after(before, key, dict(scope), making))

    async def _after(self, before: _Making, key: _Key, scope: Scope, making: _Making) -> _Answer | None:
        await asyncio.wait([before.made])
        self._running[key] = self._next.pop(key)
        return await self._make(key, scope, making, later=True)

    async def _make(self, key: _Key, scope: Scope, making: _Making, later: bool = False) -> _Answer | None:
        """The answer; None where it is made `later` and all who waited for it have left."""
        messages: list[Message] = []
        body = [_NO_BODY]

        async def receive() -> Message:
            if body:
                return body.pop()
            for client in making.clients:
                await until_left(client)
            return {"type": "http.disconnect"}

        async def keep(message: Message) -> None:
            messages.append(message)

        try:
            if later and await making.all_left():
                return None
            await self._app(scope, receive, keep)
        finally:
            if key not in self._next:
                del self._running[key]
        return _Answer(messages, scope.get("route"))


def _key(scope: Scope) -> _Key:
    headers = Headers(scope=scope)
    asked = scope.get("scheme"), scope["path"], scope.get("query_string", b""), scope.get("cityvitals.who")
    return asked, *(headers.get(name) for name in _VARIES)
