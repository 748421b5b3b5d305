"""Signs each answer of the index feed, so that a copy can be checked wherever it comes from."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reporting.collect.page import HEADER, header_of
from reporting.evidence.keys import private_key, public_of

_FEED = "/v1/index/kpis"


class SignFeed:
    """Adds the signature of the whole body as a header. Raises UsageError for a key that cannot be used."""

    def __init__(self, app: ASGIApp, key: Path) -> None:
        self._app, self._key = app, private_key(key)
        self._public = public_of(self._key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"] != _FEED:
            await self._app(scope, receive, send)
            return
        head: list[Message] = []
        body = bytearray()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                signature = header_of(self._public, self._key.sign(bytes(body)))
                MutableHeaders(raw=head[0]["headers"])[HEADER] = signature
                await send(head[0])
                await send({"type": "http.response.body", "body": bytes(body)})

        await self._app(scope, receive, hold)
