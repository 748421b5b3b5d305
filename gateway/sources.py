"""The configured sources as the core needs them: each kind of message with its reader and mapping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo, available_timezones

from adapters.serial.settings import LineSettings
from gateway.decoding.decoded import SourceOptions
from gateway.decoding.own_paths import OwnPaths
from gateway.decoding.reading import Reading
from gateway.devices import messages
from gateway.formats import framer, is_mapped, reader
from gateway.recorded import family
from gateway.routes import Folder, Source, Wire
from registry.mapping import Message
from registry.settings import SourceSettings
from telemetry.errors import UsageError, nearest
from telemetry.topics import valid_id

ZoneOf = Callable[[str], ZoneInfo | None]


def made_sources(
    settings: Sequence[SourceSettings], secret: bytes = b"", zone_of: ZoneOf = lambda _: None
) -> list[Source]:
    """The sources of a gateway. `zone_of`: a city's time zone. Raises UsageError for what cannot work."""
    return [made for s in settings for message in messages(s) for made in [_made(s, message, secret, zone_of)]]


def completed(settings: Sequence[SourceSettings], cities: Sequence[str]) -> list[SourceSettings]:
    """The sources with what they may leave out: `city` where there is one city, and the id of a device on a wire.

    That id is the family with the unit where it is not 1, as sdm120-3. `cities`: the ids of the city files. Raises
    UsageError for two devices that would have the same id so.
    """
    made, named = list[SourceSettings](), dict[tuple[str | None, str], bool]()
    for s in settings:
        given: dict[str, str] = {}
        if s.city is None and len(cities) == 1 and not any("{city}" in m.topic for m in messages(s)):
            given["city"] = cities[0]
        wired = s.port is not None
        if wired and "device" not in s.model_fields_set:
            name = (s.family or s.format).replace("_", "-")
            given["device"] = name if s.unit == 1 else f"{name}-{s.unit}"
        made.append(s.model_copy(update=given))
        if wired:
            place = made[-1].city, made[-1].device
            if place in named and (named[place] or "device" in given):
                raise UsageError(
                    f"Two devices on wires would both be '{place[1]}': give each its id in its source,"
                    ' such as `device = "meter-2"`.'
                )
            named[place] = "device" in given
    return made


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
        folder = _folder(where, s) if message.door == "file" else None
        return Source(
            message.topic, message.format, s.city, SourceOptions(*_plain(options)), None, message.door, folder=folder
        )
    _check_zone(where, message, s, zone_of)
    wire = _wire(where, message, s) if message.door in ("serial", "modbus") else None
    reading = Reading(message, reader(message.format, message.options), s.devices, zone_of, _own_paths(s))
    reading.check()
    token = s.token.get_secret_value().encode() if s.token else b""
    return Source(message.topic, message.format, s.city, options, reading, message.door, token, wire)


def _own_paths(s: SourceSettings) -> OwnPaths | None:
    """What is to be looked for in messages of a source that defines itself where its values are."""
    if s.family is not None or not s.values:
        return None
    path = s.time.path if s.time else []
    return OwnPaths(list(s.values), [path] if isinstance(path, str) else path)


def _folder(where: str, s: SourceSettings) -> Folder:
    """Where files are dropped. Raises UsageError where the source does not name it, or names an unknown family."""
    if s.folder is None:
        raise UsageError(f'{where} reads files that are dropped into a folder: add `folder = "/srv/drop"`.')
    if s.files and not s.files.endswith(".toml"):
        family(s.files)
    return Folder(s.folder, s.files, "" if "{" in s.device else s.device)


def _wire(where: str, message: Message, s: SourceSettings) -> Wire:
    """The wire of a device. Raises UsageError where the source does not name it."""
    if s.port is None or not valid_id(s.device):
        raise UsageError(
            f'{where} is on a wire: add `port = "/dev/ttyUSB0"` (or "tcp://host:502" for Modbus TCP) and the'
            ' device\'s id, `device = "meter-1"`.'
        )
    if message.door == "serial":
        framer(message.format)
    line, given = message.line, s.model_fields_set
    settings = LineSettings(
        s.port,
        s.baud if s.baud is not None else line.baud,
        line.bits,
        s.parity if s.parity is not None else line.parity,
        line.stop,
    )
    every = s.every_s if "every_s" in given and s.every_s is not None else message.every_s
    return Wire(settings, s.unit, every, line.request.encode())


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
