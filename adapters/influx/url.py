"""The URL of an InfluxDB store and its credentials."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from adapters.secrets import SECTION, secret
from telemetry.errors import UsageError

_SCHEMES = {
    "influxdb": ("http", 1), "influxdbs": ("https", 1), "http": ("http", 1), "https": ("https", 1),
    "influxdb2": ("http", 2), "influxdb2s": ("https", 2), "influxdb3": ("http", 3), "influxdb3s": ("https", 3),
}  # fmt: skip
_EXAMPLES = {
    1: "influxdb://host:8086/database", 2: "influxdb2://host:8086/bucket?org=name", 3: "influxdb3://host:8181/database"
}  # fmt: skip
_NAME3 = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # version 3 has no others


class Target(NamedTuple):
    """`base`: scheme, host and port for HTTP. `database`: or the bucket. `org`: of version 2 alone."""

    base: str
    database: str
    org: str | None
    version: int = 1


def parse(url: str) -> Target:
    """The target of a URL as in `_EXAMPLES`, or of its form over TLS, such as `influxdb2s`.

    Raises UsageError for anything else, and for credentials in the URL, which process lists and logs would show.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise UsageError(f"The store's URL contains credentials; set them as {SECTION}USERNAME and {SECTION}PASSWORD.")
    database, org = unquote(parts.path.strip("/")), parse_qs(parts.query).get("org", [""])[0]
    scheme, version = _SCHEMES.get(parts.scheme, ("", 1))
    if not scheme or not parts.hostname or not database or "/" in database:
        raise UsageError(f"'{url}' does not name a database; use {_EXAMPLES[version]}.")
    if version == 2 and not org:
        raise UsageError(f"'{url}' does not name an organisation; use {_EXAMPLES[version]}.")
    if version == 3 and not _NAME3.fullmatch(database):
        raise UsageError(f"'{database}' cannot be a database of InfluxDB 3; use letters, digits, '_' and '-'.")
    base = f"{scheme}://{_with_port(parts.netloc, url, version)}"
    return Target(base, database, org if version == 2 else None, version)


def _with_port(host: str, url: str, version: int) -> str:
    port = host.rpartition("]")[2].partition(":")[2] or ("8181" if version == 3 else "8086")
    if not port.isdigit() or int(port) > 65535:
        raise UsageError(f"'{url}' does not have a valid port; use {_EXAMPLES[version]}.")
    return host if host.endswith(f":{port}") else f"{host.rstrip(':')}:{port}"


def authorization(target: Target) -> dict[str, str]:
    """The authorization header; none without credentials."""
    if target.version > 1:
        token, scheme = secret("TOKEN"), "Token" if target.version == 2 else "Bearer"
        return {"Authorization": f"{scheme} {token}"} if token else {}
    user = secret("USERNAME")
    pair = f"{user}:{secret('PASSWORD')}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"} if user else {}
