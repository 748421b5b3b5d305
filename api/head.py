"""HEAD for whatever GET gives, as HTTP asks of a server; probes and link checkers use it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAsGet:
    """Lets the routes see a HEAD as a GET; the server leaves the body away. Not for the stream, which has no end."""

    def __init__(self, app: ASGIApp, stream: str) -> None:
        self._app, self._stream = app, stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != self._stream:
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
