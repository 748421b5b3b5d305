"""A provider of OpenID Connect: discovery, its keys, the code flow with PKCE, and whom an id token names.

Authlib builds and exchanges, joserfc verifies. An id token counts with a signature by one of the provider's keys, this
provider as `iss`, this client as `aud`, the nonce of this sign-in, and a time that has not passed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from registry.settings import LOOPBACK
from telemetry.errors import CityVitalsError, Unavailable, UsageError

_ALGORITHMS = ["RS256", "PS256", "ES256"]  # by the provider's key; never `none`, never by a secret
_LEEWAY_S = 60
_TIMEOUT_S = 10.0


class Client(NamedTuple):
    """This server as it is registered with the provider. `back`: the address to which people come back.

    `claim`: whose values give roles; `name`: the claim with a person's name.
    """

    issuer: str
    client_id: str
    secret: str | None
    back: str
    claim: str = "groups"
    name: str = "preferred_username"
    scope: str = "openid profile"


class Started(NamedTuple):
    """A sign-in that has begun: where the person goes, and what must come back or be shown."""

    url: str
    state: str
    nonce: str
    verifier: str


class Person(NamedTuple):
    """Who signed in, and the values of the claim that gives roles."""

    name: str
    values: frozenset[str]


class SignInDenied(CityVitalsError):
    """The provider, the person, or the answer's content denied a sign-in."""


class Provider:
    """One provider, for one client. `clock`: seconds UTC, for the times in id tokens. May be used from any thread."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        for address in (client.issuer, client.back):
            _check(address)
        self._client, self._clock, self._lock = client, clock, Lock()
        self._found: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    def start(self) -> Started:
        """A new sign-in. Raises Unavailable where the provider does not answer."""
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        with self._session() as session:
            url, state = session.create_authorization_url(
                self._described()["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        return Started(url, state, nonce, verifier)

    def finish(self, started: Started, answer: Mapping[str, str]) -> Person:
        """Who came back with this answer. Raises SignInDenied, or Unavailable where the provider does not answer."""
        if answer.get("state") != started.state or answer.get("iss", self._client.issuer) != self._client.issuer:
            raise SignInDenied("The answer belongs to another sign-in.")
        if "error" in answer or "code" not in answer:
            raise SignInDenied(f"The provider answered {answer.get('error', 'without a code')!r}.")
        endpoint = self._described()["token_endpoint"]
        try:
            with self._session() as session:
                token = session.fetch_token(
                    endpoint, grant_type="authorization_code", code=answer["code"], code_verifier=started.verifier
                )
        except httpx.HTTPError as error:
            raise Unavailable(f"{endpoint} does not answer: {error}.") from None
        except (AuthlibBaseError, ValueError) as error:
            raise SignInDenied(f"The provider denied the code: {error}.") from None
        return self._person(str(token.get("id_token", "")), started.nonce)

    def _person(self, token: str, nonce: str) -> Person:
        try:
            claims = self._decoded(token).claims
            self._rules(nonce).validate(claims)
        except (JoseError, ValueError) as error:
            raise SignInDenied(f"The id token does not count: {error}.") from None
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self._client.client_id:
            raise SignInDenied("The id token is for several clients, and not made for this one.")
        values = claims.get(self._client.claim, [])
        name = str(claims.get(self._client.name) or claims["sub"])
        return Person(name, frozenset([values] if isinstance(values, str) else map(str, values)))

    def _rules(self, nonce: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=round(self._clock()), leeway=_LEEWAY_S, exp={"essential": True}, sub={"essential": True},
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.client_id}, nonce={"essential": True, "value": nonce},
        )  # fmt: skip

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(), algorithms=_ALGORITHMS)
        except InvalidKeyIdError:  # the provider has new keys
            return jwt.decode(token, self._key_set(again=True), algorithms=_ALGORITHMS)

    def _key_set(self, again: bool = False) -> KeySet:
        with self._lock:
            if self._keys is None or again:
                self._keys = KeySet.import_key_set({"keys": _get(self._found_locked()["jwks_uri"]).get("keys", [])})
            return self._keys

    def _described(self) -> dict[str, Any]:
        with self._lock:
            return self._found_locked()

    def _found_locked(self) -> dict[str, Any]:
        """The provider's metadata, read once."""
        if self._found is None:
            found = _get(f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._client.issuer:
                raise SignInDenied(f"{self._client.issuer} describes another provider: {found.get('issuer')}.")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _check(str(found.get(name, "")))
            self._found = found
        return self._found

    def _session(self) -> OAuth2Client:
        c = self._client
        method = "client_secret_basic" if c.secret else "none"
        return OAuth2Client(  # type: ignore[no-untyped-call]
            c.client_id, c.secret, redirect_uri=c.back, scope=c.scope, code_challenge_method="S256",
            token_endpoint_auth_method=method, timeout=_TIMEOUT_S,
        )  # fmt: skip


def _check(address: str) -> None:
    """Raises UsageError for an address over which a code or a token could be read."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise UsageError(f"'{address}' is not an address for signing in; it starts with https://.")


def _get(address: str) -> dict[str, Any]:
    try:
        answer = httpx.get(address, timeout=_TIMEOUT_S)
        found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"{address} does not answer: {error}.") from None
    if not isinstance(found, dict):
        raise SignInDenied(f"{address} did not answer with an object.")
    return found
