"""/v1/me and /v1/admin: the role of a client, rejects, devices, health and tokens. Roles: see api/roles.py.

The role is checked before a route is reached (api/access.py).
"""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from adapters.store import Store
from api.access import add_token, delete_token, read_tokens
from api.problems import NotFound, responses
from api.queries import zone_of
from api.roles import Role, role_of
from api.state import State, StateOf, find_city
from registry.place import Place
from telemetry.errors import Unavailable, UsageError
from telemetry.periods import ROLLING, calendar_period, local_date
from telemetry.topics import valid_id

router = APIRouter(prefix="/v1", tags=["Operation"], responses=responses(401, 403, 404, 422, 503))


class Me(BaseModel):
    """Whose token was sent, and what it permits."""

    name: str = Field(description="The token's owner; empty without a token.")
    role: Role
    public: bool = Field(description="Whether everybody may read.")
    tokens: bool = Field(description="Whether this server has a token file; without one nobody has a role.")
    login: bool = Field(False, description="Whether people can sign in with an identity provider, at /v1/login.")


class Reject(BaseModel):
    """A message that could not be used."""

    id: int
    at: str
    topic: str
    reason: str
    bytes: int
    payload: str


class Rejects(BaseModel):
    """The newest rejects of the gateway on this machine."""

    rejects: list[Reject]


class RejectsQuery(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000)


class Ids(BaseModel):
    """Rejects by id."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] = Field(min_length=1, max_length=1000)


class Again(BaseModel):
    """A message to send to the gateway again, corrected or as it was."""

    model_config = ConfigDict(extra="forbid")

    topic: str = Field(min_length=1, max_length=1024)
    payload: str = Field(max_length=262_144)


class LedgerRow(BaseModel):
    """Records that a device numbered in the period: sent = stored + rejected + missing."""

    device: str
    sent: int
    stored: int
    refused: int
    missing: int
    duplicate: int
    recovered: int
    unexplained: int
    whole: bool


class Ledger(BaseModel):
    """The loss ledger of a period, incomplete devices first. `as_of`: time of the gateways' newest report."""

    period: str
    as_of: str | None
    devices: list[LedgerRow]


class LedgerQuery(BaseModel):
    """Of which city and period."""

    model_config = ConfigDict(extra="forbid")

    city: str
    period: str | None = Field(None, description="2018, 2018-Q3, 2018-07 or 2018-07-01; default: the running month")


class NewDevice(BaseModel):
    """A device to register: like another one, or by its kind and quantities."""

    model_config = ConfigDict(extra="forbid")

    city: str
    device: str = Field(min_length=1, max_length=64)
    like: str = Field("", max_length=64)
    kind: str = Field("", max_length=40)
    quantities: list[str] = Field([], max_length=50)
    site: str = Field("", max_length=100, description="What people call the place")
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)


class Done(BaseModel):
    """What was done, and what is next."""

    text: str


class TokenRow(BaseModel):
    """A token without its secret."""

    name: str
    scopes: list[str]


class NewToken(BaseModel):
    """Whose token and what it permits."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    scopes: list[str] = Field(min_length=1, max_length=20)


class MadeToken(BaseModel):
    """The token: shown once and not stored."""

    name: str
    token: str


class HealthReport(BaseModel):
    """How the server is."""

    store: bool
    live_clients: int
    requests: int
    cities: list[dict[str, Any]]


@router.get("/me", response_model=Me)
def me(request: Request, state: StateOf) -> dict[str, Any]:
    """The client's own name and role."""
    who = request.scope.get("cityvitals.who", ("", frozenset()))
    ways = {"tokens": state.tokens is not None, "login": state.people is not None}
    return {"name": who[0], "role": role_of(who[1]), "public": state.public, **ways}


@router.get("/admin/rejects", response_model=Rejects)
def rejects(state: StateOf, query: Annotated[RejectsQuery, Query()]) -> dict[str, Any]:
    """Messages that were rejected, newest first, each with its reason."""
    if state.operator.rejects is None:
        raise NotFound("This server has no gateway beside it; use `cityvitals rejects` where the gateway runs.")
    return {"rejects": state.operator.rejects(query.limit)}


@router.post("/admin/rejects/replay", response_model=Done)
def replay(state: StateOf, body: Ids) -> dict[str, str]:
    """Replay rejects with the present configuration. The gateway must be stopped meanwhile."""
    if state.operator.replay is None:
        raise NotFound("This server has no gateway beside it; use `cityvitals rejects` where the gateway runs.")
    return {"text": "\n".join(state.operator.replay(body.ids))}


@router.post("/admin/rejects/send", response_model=Done)
def resend(state: StateOf, body: Again) -> dict[str, str]:
    """Send a rejected message again, as it was or corrected, through the gateway's broker. The gateway may run."""
    if state.operator.resend is None:
        raise NotFound("This server has no gateway beside it; use `cityvitals rejects` where the gateway runs.")
    return {"text": state.operator.resend(body.topic, body.payload)}


@router.get("/admin/ledger", response_model=Ledger)
def ledger(state: StateOf, query: Annotated[LedgerQuery, Query()]) -> dict[str, Any]:
    """What devices sent and what of it is stored, as `cityvitals ledger` shows it."""
    record = find_city(state.store, query.city)
    if state.operator.ledger is None:
        raise NotFound("This server does not count records; use `cityvitals ledger`.")
    label = query.period or calendar_period("month", local_date(state.clock(), zone_of(record)), zone_of(record)).label
    if label in ROLLING:
        raise UsageError("The ledger is of calendar periods: 2018, 2018-Q3, 2018-07 or 2018-07-01.")
    return state.operator.ledger(cast(Store, state.store), record.id, label)


@router.post("/admin/devices", response_model=Done)
def register(state: StateOf, body: NewDevice) -> dict[str, str]:
    """Add a device to its city file, as `cityvitals device add` does."""
    find_city(state.store, body.city)
    if not valid_id(body.device):
        raise UsageError("An id is 1 to 64 of A-Z a-z 0-9 . _ : - and does not start with a dash.")
    if state.operator.register is None:
        raise NotFound("This server has no city files beside it; use `cityvitals device add` where they are.")
    place = Place(body.site.strip(), body.lat, body.lon)
    found = state.operator.register(body.city, body.device, body.like, body.kind, tuple(body.quantities), place)
    return {"text": found}


@router.get("/admin/health", response_model=HealthReport)
def health(state: StateOf) -> dict[str, Any]:
    """Whether the store answers, how many clients follow, and the newest data of each city."""
    try:
        state.store.ping()
        cities, up = state.store.cities(), True
    except Unavailable:
        cities, up = [], False
    rows = [
        {"id": c.id, "devices": len(c.config.get("device", [])), "newest_hour": _span_end(state, c.id)} for c in cities
    ]
    total = sum(int(n) for _, n in state.requests.samples())
    return {"store": up, "live_clients": state.hub.watchers, "requests": total, "cities": rows}


def _span_end(state: State, city: str) -> int | None:
    span = state.store.span(city, "hour")
    return span[1] if span else None


@router.get("/admin/tokens", response_model=list[TokenRow])
def tokens(state: StateOf) -> list[dict[str, Any]]:
    """Owners and scopes of all tokens."""
    found = read_tokens(state.token_file())
    return [{"name": name, "scopes": sorted(scopes)} for name, scopes in sorted(found.values(), key=lambda t: t[0])]


@router.post("/admin/tokens", response_model=MadeToken)
def new_token(state: StateOf, body: NewToken) -> dict[str, str]:
    """Create a token. It is in the answer and nowhere else; it is valid at once."""
    return {"name": body.name, "token": add_token(state.token_file(), body.name, body.scopes)}


@router.delete("/admin/tokens/{name}", response_model=Done)
def remove_token(state: StateOf, name: str) -> dict[str, str]:
    """Delete a token; it is rejected from then on."""
    delete_token(state.token_file(), name)
    return {"text": f"The token '{name}' is deleted."}
