"""Which `site` tag the points of a device carry.

The site is part of a point's identity in InfluxDB, so it must never change: one series under two sites would be
counted twice. A device keeps the site under which it was first stored, also when the city file changes. The city
file sets the site of a device without data; an unregistered device has the site '-'. To rename a site, write the
city to a new database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from adapters.influx.answers import COUNTS, text
from adapters.influx.http import Answer, Connection, UnreadableAnswer
from adapters.influx.lines import site_name
from adapters.influx.registry import Registry, sites_listed

_KEYS = msgspec.json.Decoder(Answer[tuple[str]])


class Sites:
    """The sites of all devices so far, by city."""

    def __init__(self, connection: Connection, registry: Registry) -> None:
        self._connection, self._registry = connection, registry
        self._known: dict[str, dict[str, str]] = {}

    def of(self, city: str, devices: Iterable[str]) -> dict[str, str]:
        """Device -> site of at least these devices."""
        known = self._known.setdefault(city, {})
        missing = [device for device in devices if device not in known]
        if missing:
            looked_up = self._look_up(city)
            known |= {device: looked_up.get(device, "-") for device in missing}
        return known

    def _look_up(self, city: str) -> dict[str, str]:
        """Stored sites take precedence over those of the city file."""
        try:
            return self._listed(city) | self._stored(city)
        except UnreadableAnswer:  # a server that supports InfluxDB's writes but not its queries
            return {}

    def _listed(self, city: str) -> dict[str, str]:
        return {device: site_name(site) for device, site in sites_listed(self._registry.cities(city))}

    def _stored(self, city: str) -> dict[str, str]:
        """From the index alone: with a year of windows, a query of the data takes a hundred times longer.

        InfluxDB 3 has no such index and no SHOW SERIES; its rows are grouped by their tags.
        """
        if self._connection.target.version == 3:
            groups = f'SELECT last("n") FROM "window", "hour" WHERE "city" = {text(city)} GROUP BY "device", "site"'  # noqa: S608
            tags = sorted((p.tags for p in self._connection.query(groups, COUNTS)), key=lambda tags: tags["site"])
            return {found["device"]: found["site"] for found in tags}
        query = f'SHOW SERIES FROM "window", "hour" WHERE "city" = {text(city)}'
        found = [_tags(key) for piece in self._connection.query(query, _KEYS) for (key,) in piece.values]
        found = sorted((tags for tags in found if "device" in tags), key=lambda tags: tags["site"])
        return {tags["device"]: tags["site"] for tags in found}


def _tags(key: str) -> dict[str, str]:
    """The tags of a series key, as line protocol writes it."""
    pairs = re.findall(r",(\w+)=((?:\\.|[^,\\])*)", key)
    return {"site": "-"} | {name: re.sub(r"\\([,= ])", r"\1", value) for name, value in pairs}
