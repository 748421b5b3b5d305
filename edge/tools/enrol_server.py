"""The enrolment server: gives a node its certificate and configuration for a one-time code, over HTTPS.

`POST /enrol` with `{"code": ..., "nonce": ...}` answers `{"files": {name: base64}}`; 403 for a code that gives nothing,
429 with `Retry-After` for an address that sent too many of those, 400 for anything else that is wrong.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.addresses import client_of
from edge.tools import codes, enrol
from telemetry.errors import UsageError
from telemetry.untrusted import read_json

WRONG_MOST, WRONG_SPAN_S = 5, 600.0  # wrong codes of one address, and in which time
_ADDRESSES_MOST = 1000
_BODY_MOST = 1024  # bytes
Log = Callable[[str], None]


class Limit:
    """Counts wrong codes by address, of IPv6 by network: a host may have 2^64 addresses in its own. Where too many send
    them, all are refused for a while.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {}

    def wait_s(self, address: str) -> int:
        """Seconds until this address may try again; 0 when it may."""
        now, client = self._clock(), client_of(address)
        for known in [a for a, times in self._wrong.items() if now - times[-1] > WRONG_SPAN_S]:
            del self._wrong[known]
        times = self._wrong.get(client)
        if times is None:
            return int(WRONG_SPAN_S) if len(self._wrong) >= _ADDRESSES_MOST else 0
        return max(1, round(times[0] + WRONG_SPAN_S - now)) if len(times) == WRONG_MOST and (
            now - times[0] < WRONG_SPAN_S
        ) else 0  # fmt: skip

    def wrong(self, address: str) -> None:
        """A wrong code has come from there."""
        self._wrong.setdefault(client_of(address), deque(maxlen=WRONG_MOST)).append(self._clock())


def application(
    folder: Path, log_line: Log, now: Callable[[], datetime] = enrol.utc_now, limit: Limit | None = None
) -> Any:  # noqa: ANN401
    """The ASGI application over the folder of `cityvitals enrol`; `log_line` gets a line for each attempt."""
    from starlette.applications import Starlette  # noqa: PLC0415 - an extra
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import JSONResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    bound, lock = limit or Limit(), threading.Lock()

    async def answer(request: Request) -> Response:
        address = request.client.host if request.client else ""
        if wait := bound.wait_s(address):
            return JSONResponse({"error": "Too many wrong codes."}, 429, {"Retry-After": str(wait)})
        try:
            code, nonce = _asked(await _body(request))
            with lock:
                files = codes.redeem(folder, code, nonce, now())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        except codes.Refused as error:
            bound.wrong(address)
            log_line(f"{address}: {error}")
            return JSONResponse({"error": str(error)}, 403)
        except UsageError as error:
            log_line(f"{address}: {error}")
            return JSONResponse({"error": "The server cannot enrol this node; its log has the reason."}, 500)
        log_line(f"{address}: {json.loads(files['node.json'])['device']} is enrolled")
        return JSONResponse({"files": {name: base64.b64encode(data).decode() for name, data in files.items()}})

    return Starlette(routes=[Route("/enrol", answer, methods=["POST"])])


async def _body(request: Any) -> bytes:  # noqa: ANN401 - starlette is an extra
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_MOST:
            raise ValueError(f"The request is longer than {_BODY_MOST} bytes.")
    return body


def _asked(body: bytes) -> tuple[str, str]:
    """Code and number of the node. Raises ValueError."""
    value = read_json(body)
    code, nonce = (value.get(key) for key in ("code", "nonce")) if isinstance(value, dict) else (None, None)
    if not isinstance(code, str) or not isinstance(nonce, str) or not 16 <= len(nonce) <= 64:
        raise ValueError('Send {"code": text, "nonce": text of 16 to 64 characters}.')
    return code, nonce


def server(folder: Path, host: str, port: int, log_line: Log, now: datetime) -> Any:  # noqa: ANN401 - uvicorn is an extra
    """A uvicorn server, ready to run. Raises UsageError where there is no authority."""
    import uvicorn  # noqa: PLC0415 - an extra

    from adapters.connections import Connections, bounded_http  # noqa: PLC0415

    files = codes.certificate(folder, now)
    return uvicorn.Server(
        uvicorn.Config(
            application(folder, log_line),
            host,
            port,
            http=bounded_http(Connections(64)),
            log_level="warning",
            ssl_certfile=str(files.certificate),
            ssl_keyfile=str(files.key),
            server_header=False,
            lifespan="off",
            timeout_keep_alive=5,
        )
    )
