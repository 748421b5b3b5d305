"""The gateway's sources, made from its settings."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core import Source
from gateway.decoded import SourceOptions
from gateway.routes import Served
from registry.city import City
from registry.settings import GatewaySettings, SourceSettings


def sources_of(s: GatewaySettings) -> list[Source]:
    """The gateway's sources."""
    secret = s.user_key.get_secret_value().encode() if s.user_key else b""
    return [_source(x, secret) for x in s.source]


def served_by(s: GatewaySettings, cities: Sequence[City]) -> Served | None:
    """The cities, and of each the devices (none: all), that this gateway serves; None where none is configured."""
    named = {*s.cities, *(x.city for x in s.source if x.city)}
    found = {name: frozenset[str]() for name in named} | {
        c.id: frozenset(d.id for d in c.device) if s.registered_only else frozenset[str]() for c in cities
    }
    return found or None


def _source(s: SourceSettings, secret: bytes) -> Source:
    options = SourceOptions(dict(s.rename), frozenset(s.ignore), s.time_key, secret)
    return Source(s.topic, s.format, s.city, options)
