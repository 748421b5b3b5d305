"""A small provider of OpenID Connect for tests: discovery, keys, code flow with PKCE; written for these tests alone.

`wrong` plants one mistake in the next id token; `groups` are the person's. There are no passwords.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.servers import QuietServer

CLIENT, SECRET = "cityvitals", "s3cret"


class Idp(QuietServer):
    """The provider on a free port of the loopback interface."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.said_issuer = self.issuer
        self.key, self.other = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("one", "two"))
        self.codes: dict[str, dict[str, str]] = {}
        self.wrong, self.groups, self.away, self.asked = "", ["vitals-admins"], False, 0

    def token(self, code: dict[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT, "sub": "u-17", "preferred_username": "kari", "groups": self.groups,
            "iat": now, "exp": now + 300, "nonce": code["nonce"],
        }  # fmt: skip
        key, header = self.key, {"alg": "RS256", "kid": str(self.key.kid)}
        match self.wrong:
            case "signature":
                key = self.other  # under the right key's name
            case "unsigned":
                return unsigned(claims)
            case "audience":
                claims["aud"] = "another-client"
            case "many":
                claims |= {"aud": [CLIENT, "another-client"], "azp": "another-client"}
            case "expired":
                claims |= {"iat": now - 900, "exp": now - 600}
            case "endless":
                del claims["exp"]
            case "issuer":
                claims["iss"] = "https://elsewhere.example"
            case "nonce":
                claims["nonce"] = "of another sign-in"
        return jwt.encode(header, claims, key, algorithms=["RS256"])


def unsigned(claims: dict[str, Any]) -> str:
    head, body = (base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=") for x in ({"alg": "none"}, claims))
    return f"{head.decode()}.{body.decode()}."


class Handler(BaseHTTPRequestHandler):
    server: Idp

    def do_GET(self) -> None:
        idp, parts = self.server, urlsplit(self.path)
        idp.asked += 1
        if idp.away:
            self._answer(503, {})
        elif parts.path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            self._answer(200, {"issuer": idp.said_issuer, **{k: f"{idp.issuer}/{v}" for k, v in names.items()}})
        elif parts.path == "/keys":
            self._answer(200, {"keys": [idp.key.as_dict(private=False)]})
        else:
            self._authorize(dict(parse_qsl(parts.query)))

    def _authorize(self, q: dict[str, str]) -> None:
        assert q["response_type"] == "code"
        assert q["client_id"] == CLIENT
        assert q["code_challenge_method"] == "S256"
        assert "openid" in q["scope"].split()
        back = {"state": q["state"], "iss": self.server.issuer}
        if self.server.wrong == "cancelled":
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.server.codes[back["code"]] = q
        self.send_response(302)
        self.send_header("Location", f"{q['redirect_uri']}?{urlencode(back)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        code = self.server.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        seen = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if self.headers.get("Authorization") != f"Basic {basic}":
            self._answer(401, {"error": "invalid_client"})
        elif not code or seen.decode() != code["code_challenge"] or form["redirect_uri"] != code["redirect_uri"]:
            self._answer(400, {"error": "invalid_grant"})
        else:
            token = self.server.token(code)
            self._answer(200, {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def provider() -> Iterator[Idp]:
    idp = Idp()
    thread = Thread(target=idp.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield idp
    finally:
        idp.shutdown()
        thread.join(10)
        idp.server_close()
