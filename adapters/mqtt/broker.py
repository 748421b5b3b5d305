"""Address and credentials of an MQTT broker: a value, without the MQTT library."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from telemetry.errors import UsageError


@dataclass(frozen=True, slots=True)
class Broker:
    """Address and credentials. `tls`: verify the broker with `ca` (or the system's), present `cert` and `key`.

    `version`: of MQTT, "3.1.1" or "5".
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    version: str = "3.1.1"

    @staticmethod
    def parse(url: str, **rest: Any) -> Broker:  # noqa: ANN401 - the dataclass's own fields
        """From `mqtt://[user[:password]@]host[:1883]` or `mqtts://host[:8883]`. Raises UsageError."""
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("mqtt", "mqtts") and bool(parts.hostname)
            port = parts.port if valid else None
        except ValueError:  # its text may contain the password
            valid, port = True, 0
        if not valid or port == 0:
            why = ", its host or its port cannot be read" if valid else ""
            raise UsageError(
                f"'{_shown(url)}' is not a valid broker URL{why}; use mqtt://host:1883 or mqtts://host:8883."
            )
        tls = parts.scheme == "mqtts"
        if parts.username:
            rest.setdefault("username", unquote(parts.username))
        if parts.password:
            rest.setdefault("password", unquote(parts.password))
        return Broker(parts.hostname or "", port or (8883 if tls else 1883), tls, **rest)

    def tls_context(self) -> ssl.SSLContext | None:
        """The context of a TLS connection; None for a plain one."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.cert:
            context.load_cert_chain(self.cert, self.key)
        return context

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _shown(url: str) -> str:
    """Scheme and host of an invalid URL, for an error message; the rest may contain a password."""
    scheme = "".join(re.findall(r"^\w+://", url))
    host = url.removeprefix(scheme).rpartition("@")[2]
    return scheme + "".join(re.findall(r"^(?:\[[^\]]*\]?)?[^:/]*", host))
