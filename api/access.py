"""Access control: bearer tokens with scopes, stored as hashes, and a rate limit.

Scopes: `read` (everything), `read:<city>` (that city and the catalogue), `metrics`, and the roles `reporter`,
`operator` and `admin` (api/roles.py), which include `read`. The probes /healthz and /readyz and
the files of the page, which contain no data, are open to all. In public mode reading needs no token; a role does.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.addresses import client_of
from api.problems import problem
from api.roles import ROLES, needed, role_of, suffices
from telemetry.errors import UsageError, cause
from telemetry.topics import valid_id

_OPEN = ("/", "/healthz", "/readyz", "/favicon.ico", "/compare", "/admin")
_FILES = ("/static/", "/c/", "/embed/")
_SIGNING_IN = ("/v1/login", "/v1/login/done", "/v1/me")
_SESSION = "cityvitals_session"
_FOR_EACH_CITY = ("/v1/catalogue", "/openapi.json")
Tokens = dict[str, tuple[str, frozenset[str]]]  # hash -> (name, scopes)

_CLIENTS = 10_000  # clients in memory, so that many addresses cannot exhaust it


def digest(token: str) -> str:
    """The stored hash of a token. A token has 256 random bits, so a fast hash is safe."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def add_token(path: Path, name: str, scopes: list[str]) -> str:
    """Append a token's hash to the file and return the token, which is not stored.

    Raises UsageError for a used name.
    """
    if not name.isprintable() or name != "".join(name.split()) or not name or "#" in name:
        raise UsageError("A token's name consists of printable characters without blanks and #.")
    if wrong := [s for s in scopes if not _valid(s)]:
        raise UsageError(
            f"'{wrong[0]}' is not a valid scope; use read, read:<city>, metrics, reporter, operator or admin."
        )
    if path.exists() and name in (owner for owner, _ in read_tokens(path).values()):
        raise UsageError(f"{path} already contains a token '{name}'; delete its line to replace it.")
    token = "cv_" + secrets.token_urlsafe(32)
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8") as file:
        glue = (
            "" if not path.stat().st_size or path.read_bytes().endswith(b"\n") else "\n"
        )  # an editor may have omitted the last line end
        file.write(f"{glue}{name} {digest(token)} {','.join(scopes)}\n")
    return token


def _valid(scope: str) -> bool:
    return scope in ("read", "metrics", *ROLES[1:]) or (scope.startswith("read:") and valid_id(scope[5:]))


def delete_token(path: Path, name: str) -> None:
    """Take a token out of the file. Raises UsageError for an unknown one."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    left = [line for line in lines if line.split()[:1] != [name]]
    if len(left) == len(lines):
        raise UsageError(f"There is no token '{name}'.")
    temporary = path.with_name(f".{path.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_text("".join(left), encoding="utf-8")
    temporary.replace(path)


class TokenFile:
    """The tokens of a file as it is now: a changed file is taken over at the next request."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen, self._tokens = self._stamp(), read_tokens(path)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except OSError:
            return 0, 0, 0
        return found.st_mtime_ns, found.st_ino, found.st_size

    def current(self) -> Tokens:
        """Hash -> (name, scopes). A file that cannot be read any more permits nobody."""
        stamp = self._stamp()
        if stamp != self._seen:
            try:
                self._tokens = read_tokens(self.path)
            except UsageError:
                self._tokens = {}
            self._seen = stamp
        return self._tokens


def read_tokens(path: Path) -> Tokens:
    """The tokens of a file. Raises UsageError for a file that cannot be read."""
    found: Tokens = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The token file {path} cannot be read: {cause(error)}.") from None
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) != 3 or len(words[1]) != 64 or not all(_valid(s) for s in words[2].split(",")):
            raise UsageError(f"{path}, line {number}: expected `name sha256 scopes`, as `cityvitals token` writes it.")
        found[words[1]] = (words[0], frozenset(words[2].split(",")))
    return found


def allowed(scopes: frozenset[str], path: str, city: str | None = None) -> bool:
    """Whether these scopes are enough for a path; `city`: the one its query names, which a stream follows."""
    if "read" in scopes or role_of(scopes) != "viewer" or path == "/v1/me":
        return True
    if path == "/metrics":
        return "metrics" in scopes
    cities = {s.removeprefix("read:") for s in scopes if s.startswith("read:")}
    if path in _FOR_EACH_CITY:
        return bool(cities)
    if path == "/v1/live":
        return city in cities
    levels = path.split("/")
    return levels[:3] == ["", "v1", "cities"] and len(levels) > 3 and levels[3] in cities


def _city(request: Request) -> str | None:
    """The city of the query, None where it names none or several: nobody may be shown another than was checked."""
    named = request.query_params.getlist("city")
    return named[0] if len(named) == 1 else None


@dataclass(slots=True)
class Limiter:
    """A token bucket for each client: `rate` requests a second, at most `burst` at once. `rate` 0: no limit."""

    rate: float
    burst: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, client: str, now: float) -> float:
        """Seconds to wait; 0 where the request is allowed. `now`: s of a monotonic clock."""
        if not self.rate:
            return 0.0
        left, since = self._left.pop(client, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        wait = 0.0 if left >= 1 else (1 - left) / self.rate
        if len(self._left) >= _CLIENTS:
            del self._left[next(iter(self._left))]
        self._left[client] = (left if wait else left - 1, now)
        return wait


class SignedIn(Protocol):
    """Who signed in with an identity provider, see api/login/people.py."""

    def who(self, key: str) -> tuple[str, frozenset[str]] | None:
        """Name and scopes of the person with this key."""


class Access:
    """Answers 401, 403 or 429 to requests that are not allowed. `public`: reading needs no token.

    `people`: who signed in; their browsers send a cookie instead of a token.
    """

    def __init__(
        self, app: ASGIApp, tokens: TokenFile | None, limiter: Limiter, public: bool,
        clock: Callable[[], float] = time.monotonic, people: SignedIn | None = None,
    ) -> None:  # fmt: skip
        self._app, self._tokens, self._limiter, self._public, self._clock = app, tokens, limiter, public, clock
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        # The path that is routed, never `request.url.path`: older Starlettes built that from the Host header.
        path: str = scope["path"]
        owner, scopes = self._who(request)
        place = client_of(request.client.host) if request.client else ""
        wait = self._limiter.take(owner or place, self._clock())
        answer: Response | None
        if wait:
            answer = problem(
                request, 429, "Too many requests; send fewer a second.", {"Retry-After": str(int(wait) + 1)}
            )
        else:
            scope["cityvitals.who"] = (owner, scopes or frozenset())
            answer = self._denial(request, path, owner, scopes)
        await (answer or self._app)(scope, receive, send)

    def _denial(self, request: Request, path: str, owner: str, scopes: frozenset[str] | None) -> Response | None:
        """The answer to a request that is not allowed; None for one that is."""
        wanted = needed(request.method, path)
        if wanted == "viewer" and (self._public or self._is_open(path)):
            return None
        if scopes is None:
            detail = "Send a token: `Authorization: Bearer ...`; create one with `cityvitals token`."
            if wanted != "viewer":
                detail = f"This needs the role {wanted}. {detail}"
            return problem(request, 401, detail, {"WWW-Authenticate": "Bearer"})
        if wanted != "viewer" and not suffices(role_of(scopes), wanted):
            return problem(request, 403, f"This needs the role {wanted}; '{owner}' is {role_of(scopes)}.")
        if wanted == "viewer" and not allowed(scopes, path, _city(request)):
            return problem(request, 403, f"The token '{owner}' does not permit {path}.")
        return None

    def _is_open(self, path: str) -> bool:
        return path in _OPEN or path.startswith(_FILES) or (self._people is not None and path in _SIGNING_IN)

    def _who(self, request: Request) -> tuple[str, frozenset[str] | None]:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not kind and self._people is not None and (key := request.cookies.get(_SESSION)):
            return self._people.who(key) or ("", None)
        if kind.lower() != "bearer" or self._tokens is None:
            return "", None
        found = self._tokens.current().get(digest(token.strip()))
        return found if found else ("", None)
