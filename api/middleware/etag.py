"""ETag and If-None-Match for JSON: an unchanged answer is not sent a second time."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ETagMiddleware:
    """Collects a complete JSON answer to a GET, adds the hash of its bytes as ETag, and answers 304 where it is
    unchanged.

    The tag is weak, because a later middleware may compress the answer. Streams are passed through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        await self._app(scope, receive, _Tagger(send, known))


class _Tagger:
    """The `send` that delays the start of an answer until its body is complete."""

    def __init__(self, send: Send, known: str) -> None:
        self._send = send
        self._known = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        self._head: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_json(message):
            self._head = message
        elif self._head is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._head)

    async def _finish(self, head: Message) -> None:
        tag = f'"{hashlib.blake2b(self._body, digest_size=12).hexdigest()}"'
        headers = MutableHeaders(raw=head["headers"])
        headers["ETag"] = f"W/{tag}"
        headers.setdefault("Cache-Control", "no-cache")
        if tag in self._known or "*" in self._known:
            head["status"], self._body = 304, b""
            del headers["content-length"], headers["content-type"]
        await self._send(head)
        await self._send({"type": "http.response.body", "body": self._body})


def _is_json(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("application/json")
