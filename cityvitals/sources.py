"""The gateway's sources, made from its settings, and what it serves."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.routes import Served, Source
from gateway.source_check import check_sources
from gateway.sources import completed, made_sources
from registry.city import City
from registry.settings import GatewaySettings


def sources_of(s: GatewaySettings, cities: Sequence[City] = ()) -> list[Source]:
    """The gateway's sources. `cities`: for the zone of local stamps. Raises UsageError for what cannot work."""
    ids = [city.id for city in cities]
    check_sources(s.source, ids)
    secret = s.user_key.get_secret_value().encode() if s.user_key else b""
    zones = {city.id: city.zone for city in cities}
    return made_sources(completed(s.source, ids), secret, zones.get)


def served_by(s: GatewaySettings, cities: Sequence[City]) -> Served | None:
    """The cities, and of each the devices (none: all), that this gateway serves; None where none is configured."""
    named = {*s.cities, *(x.city for x in s.source if x.city)}
    found = {name: frozenset[str]() for name in named} | {
        c.id: frozenset(d.id for d in c.device) if s.registered_only else frozenset[str]() for c in cities
    }
    return found or None
