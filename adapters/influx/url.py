"""The URL of an InfluxDB store and its credentials."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from adapters.secrets import SECTION, secret
from telemetry.errors import UsageError

_SCHEMES = {
    "influxdb": ("http", False), "influxdbs": ("https", False), "http": ("http", False), "https": ("https", False),
    "influxdb2": ("http", True), "influxdb2s": ("https", True),
}  # fmt: skip


class Target(NamedTuple):
    """`base`: scheme, host and port for HTTP. `database`: of 1.x, or the bucket. `org`: None for 1.x."""

    base: str
    database: str
    org: str | None


def parse(url: str) -> Target:
    """The target of `influxdb://host:port/database`, `influxdb2://host:port/bucket?org=name` or the forms over TLS.

    Raises UsageError for anything else, and for credentials in the URL, which process lists and logs would show.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise UsageError(f"The store's URL contains credentials; set them as {SECTION}USERNAME and {SECTION}PASSWORD.")
    database, org = unquote(parts.path.strip("/")), parse_qs(parts.query).get("org", [""])[0]
    if parts.scheme not in _SCHEMES or not parts.hostname or not database or "/" in database:
        raise UsageError(f"'{url}' does not name a database; use influxdb://host:8086/database.")
    scheme, second = _SCHEMES[parts.scheme]
    if second and not org:
        raise UsageError(f"'{url}' does not name an organisation; use influxdb2://host:8086/bucket?org=name.")
    return Target(f"{scheme}://{_with_port(parts.netloc, url)}", database, org if second else None)


def _with_port(host: str, url: str) -> str:
    port = host.rpartition("]")[2].partition(":")[2] or "8086"
    if not port.isdigit() or int(port) > 65535:
        raise UsageError(f"'{url}' does not have a valid port; use influxdb://host:8086/database.")
    return host if host.endswith(f":{port}") else f"{host.rstrip(':')}:{port}"


def authorization(target: Target) -> dict[str, str]:
    """The authorization header; none without credentials."""
    if target.org is not None:
        token = secret("TOKEN")
        return {"Authorization": f"Token {token}"} if token else {}
    user = secret("USERNAME")
    pair = f"{user}:{secret('PASSWORD')}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"} if user else {}
