"""Security headers on every answer.

Nothing is loaded from other servers, and the page has no inline script or style.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:{images}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors {frames}",
        "require-trusted-types-for 'script'",
        "trusted-types default",
    )
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def origin_of(tiles: str) -> str:
    """The origin of the map tiles, from which pictures may come; empty without tiles."""
    parts = urlsplit(tiles.replace("{s}.", "*."))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def headers_for(path: str, images: str) -> dict[str, str]:
    """The headers of a path. A chart that another page shows in a frame may be framed: it has nothing to press."""
    framed = path.startswith("/embed/")
    policy = CONTENT_SECURITY_POLICY.format(frames="*" if framed else "'none'", images=f" {images}" if images else "")
    found = {"Content-Security-Policy": policy, **HEADERS}
    return {name: value for name, value in found.items() if not (framed and name == "X-Frame-Options")}


class SecurityHeaders:
    """Adds the headers, and `Cache-Control: no-cache` where an answer has no such header."""

    def __init__(self, app: ASGIApp, images: str = "") -> None:
        self._app, self._images = app, images

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_for(scope.get("path", ""), self._images).items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, add)
