"""Every error as application/problem+json (RFC 9457), with a sentence that states what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from api.metrics import LEFT
from telemetry.errors import CityVitalsError, Unavailable, UsageError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


class NotFound(CityVitalsError):
    """The requested resource does not exist."""


class Denied(CityVitalsError):
    """The client has no right to the resource."""


class Left(Exception):
    """The client has left: what it asked for is not calculated."""


def problem(
    request: Request,
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """The answer for an error."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.url.path}
    return JSONResponse(body | ({"errors": errors} if errors else {}), status, headers, MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of these errors, for a route's `responses`."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Turn every exception into a problem."""
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(Denied, _denied)
    app.add_exception_handler(UsageError, _usage)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(Left, _left)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def _not_found(request: Request, error: Exception) -> JSONResponse:
    return problem(request, 404, str(error))


async def _denied(request: Request, error: Exception) -> JSONResponse:
    return problem(request, 403, str(error))


async def _usage(request: Request, error: Exception) -> JSONResponse:
    return problem(request, 422, str(error))


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    return problem(request, 503, str(error), {"Retry-After": str(RETRY_AFTER_S)})


async def _left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=int(LEFT))  # for nobody


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    errors = [{"where": ".".join(map(str, e["loc"])), "why": _why(e)} for e in error.errors()]
    detail = "; ".join(f"{e['where']}: {e['why']}" for e in errors)
    return problem(request, 422, f"The request is not valid: {detail}.", errors=errors)


def _why(error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown parameter, see /openapi.json"
    return str(error["msg"])


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    details = {
        404: f"There is no resource at {request.url.path}; /openapi.json lists all paths.",
        405: f"{request.method} is not supported at {request.url.path}; use GET.",
    }
    return problem(request, error.status_code, details.get(error.status_code, error.detail), dict(error.headers or {}))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(request, 500, "Internal error; the server's log has the details. Please report it.")
