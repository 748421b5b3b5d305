"""`cityvitals init`: the two files of a new city, with one example device to change."""

from __future__ import annotations

import os
import re
from pathlib import Path

import tomlkit

from registry.config import load_city, load_settings
from telemetry.errors import UsageError
from telemetry.topics import valid_id

_CITY = """# The city. Omit what you do not know: the notes of an indicator name a missing key.
# A key that ends in _source or _year documents its neighbour.

[city]
id = "{id}"
name = {name}
country = {country}
timezone = {timezone}
{population}
# One entry for each device. The id is the level of the topic at which it publishes.
[[device]]
id = "aq-1"
site = "my street"
kind = "air_lowcost"
quantities = ["pm2_5", "pm10", "temperature", "humidity"]
"""

_SETTINGS = """# The configuration of the programs; every key: cityvitals config print
city_files = ["city.toml"]

[gateway]
id = "{id}-gateway"
buffer = "gateway.db"

# CityVitals nodes, and other devices that publish SenML: cv/1/{id}/<device>/data
[[gateway.source]]
topic = "cv/1/{{city}}/{{device}}/data"
format = "senml"

# A flat JSON object for each message, as in {{"pm2_5": 8.1}}: {id}/<device>
[[gateway.source]]
topic = "{id}/{{device}}"
format = "flat_json"
city = "{id}"

[ingest]
rejects = "ingest-rejects.db"

[store]
url = "sqlite:///store.db"

[api]
port = 8000
"""


def write(folder: Path, name: str, country: str, timezone: str, population: int | None) -> list[Path]:
    """Write city.toml and cityvitals.toml into the folder. Raises UsageError for a bad name and files that exist."""
    city = folder.resolve().name
    if not valid_id(city):
        raise UsageError(
            f"The folder's name becomes the city's id: '{city}' is not a valid id; use letters, digits and hyphens."
        )
    files = {
        folder / "city.toml": _CITY.format(
            id=city,
            name=_quoted(name or city.replace("-", " ").title()),
            country=_quoted(country or "XX"),
            timezone=_quoted(timezone or _local_zone()),
            population=f"population = {population}\n" if population else "# population = 52000\n",
        ),
        folder / "cityvitals.toml": _SETTINGS.format(id=city),
    }
    for path in files:
        if path.exists():
            raise UsageError(f"{path} exists already and was not changed.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    try:
        load_city(folder / "city.toml")
        load_settings(folder / "cityvitals.toml")
    except UsageError:
        for path in files:
            path.unlink()
        raise
    return list(files)


def _quoted(text: str) -> str:
    return tomlkit.item(text).as_string()


def _local_zone() -> str:
    """The time zone of this machine, from the files of Debian and macOS."""
    target = os.path.realpath("/etc/localtime")
    found = re.search(r"zoneinfo/(?:posix/)?([A-Za-z_]+/[A-Za-z_/-]+)$", target)
    return found[1] if found else "UTC"
