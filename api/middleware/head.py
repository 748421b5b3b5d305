"""HEAD for every path with GET, as HTTP requires; probes and link checkers use it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAsGet:
    """Routes a HEAD as a GET; the server omits the body. Not for the stream, which does not end."""

    def __init__(self, app: ASGIApp, stream: str) -> None:
        self._app, self._stream = app, stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != self._stream:
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
