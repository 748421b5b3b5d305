"""The configured sources as the core needs them: each kind of message with its reader and mapping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo, available_timezones

from gateway.decoding.decoded import SourceOptions
from gateway.decoding.reading import Reading
from gateway.devices import messages
from gateway.formats import is_mapped, reader
from gateway.routes import Source
from registry.mapping import Message
from registry.settings import SourceSettings
from telemetry.errors import UsageError, nearest

ZoneOf = Callable[[str], ZoneInfo | None]


def made_sources(
    settings: Sequence[SourceSettings], secret: bytes = b"", zone_of: ZoneOf = lambda _: None
) -> list[Source]:
    """The sources of a gateway. `zone_of`: a city's time zone. Raises UsageError for what cannot work."""
    return [made for s in settings for message in messages(s) for made in [_made(s, message, secret, zone_of)]]


def _made(s: SourceSettings, message: Message, secret: bytes, zone_of: ZoneOf) -> Source:
    where = f"The source '{s.family or message.topic}'"
    if s.city is None and "{city}" not in message.topic:
        raise UsageError(f"{where} names no city: add `city` to it.")
    options = SourceOptions(dict(s.rename), frozenset(s.ignore), s.time_key, secret, message.retained)
    if not is_mapped(message.format):
        if "{device}" not in message.topic:
            raise UsageError(
                f"The topic '{message.topic}' names no device; write for example cv/1/{{city}}/{{device}}/data."
            )
        return Source(message.topic, message.format, s.city, SourceOptions(*_plain(options)), None, message.door)
    _check_zone(where, message, s, zone_of)
    reading = Reading(message, reader(message.format, message.options), s.devices, zone_of)
    reading.check()
    token = s.token.get_secret_value().encode() if s.token else b""
    return Source(message.topic, message.format, s.city, options, reading, message.door, token)


def _plain(options: SourceOptions) -> tuple[dict[str, str], frozenset[str], str, bytes]:
    return options.rename, options.ignore, options.time_key, options.secret


def _check_zone(where: str, message: Message, s: SourceSettings, zone_of: ZoneOf) -> None:
    zone = message.zone
    if zone == "city":
        if s.city is not None and zone_of(s.city) is None:
            raise UsageError(
                f"{where} sends local times, and the file of city '{s.city}' is not among city_files;"
                ' add it, or write `zone = "Europe/Berlin"` (your zone) in the source.'
            )
    elif zone is not None and zone not in available_timezones():
        raise UsageError(
            f"{where}: zone '{zone}' is not a time zone of the tz database; {nearest(zone, available_timezones())}"
        )
