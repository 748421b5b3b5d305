"""The gateway's sources, made from its settings."""

from __future__ import annotations

from gateway.core import Source
from gateway.decoded import SourceOptions
from registry.settings import GatewaySettings, SourceSettings


def sources_of(s: GatewaySettings) -> list[Source]:
    """The gateway's sources."""
    secret = s.user_key.get_secret_value().encode() if s.user_key else b""
    return [_source(x, secret) for x in s.source]


def _source(s: SourceSettings, secret: bytes) -> Source:
    options = SourceOptions(dict(s.rename), frozenset(s.ignore), s.time_key, secret)
    return Source(s.topic, s.format, s.city, options)
