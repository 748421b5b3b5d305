"""From the address of a message to its city, its device, and how its payload is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from adapters.serial.settings import LineSettings
from gateway.decoding.decoded import Decoded, SourceOptions
from gateway.decoding.plain import Plain
from gateway.formats import Decode, decoder, may_carry_users, shortest
from gateway.privacy import city_key
from telemetry.errors import Rejected
from telemetry.topics import matcher, subscription, valid_id

if TYPE_CHECKING:
    from gateway.decoding.reading import Reading

_REMEMBERED = 200_000  # addresses
UNCONFIGURED = 16  # cities of a gateway whose configuration names none
Served = Mapping[str, frozenset[str]]


class Wire(NamedTuple):
    """The line on which a device is, its address there, how often it is read, and the request for a telegram."""

    settings: LineSettings
    unit: int
    every_s: int
    request: bytes


class Folder(NamedTuple):
    """A folder into which files are dropped, and their recorded family (empty: recognised by content)."""

    path: Path
    family: str
    device: str


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of device: where its messages come in and in which format. `city` fills in where the topic names none.

    `reading`: how a format that needs a mapping is read. `door`: through which door they come. `token`: what a
    sender through it must show. `line`: the wire of a device that is on one. `folder`: of dropped files.
    """

    topic: str
    format: str
    city: str | None = None
    options: SourceOptions = field(default_factory=SourceOptions)
    reading: Reading | None = None
    door: str = "mqtt"
    token: bytes = b""
    line: Wire | None = None
    folder: Folder | None = None

    @property
    def filter(self) -> str:
        """The MQTT subscription."""
        return subscription(self.topic)


class NotServed(Rejected):
    """The message names a city or device that is not configured here: it is counted and nothing of it is kept.

    `name`: the city, or city/device.
    """

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


class Route(NamedTuple):
    """City, device and decoder of the messages of one address.

    `sender`: whose budget they use: the device, or the address where that names none. `paced`: the door answers each
    message only when it is stored, so that their number needs no limit. `plain`: the shortest way of usual messages.
    `named`: the device that the address names, empty where the payload may name another.
    """

    city: str
    device: str
    decode: Decode
    options: SourceOptions
    may_carry_users: bool = True
    sender: str = ""
    paced: bool = False
    plain: Plain | None = None
    named: str = ""


class Share(NamedTuple):
    """Which devices a gateway takes where several read the same brokers: the part `number` (from 1) of `of`.

    Every gateway gets and acknowledges every message; it decodes and stores those of its own devices, and does not even
    read those whose topic names another's. So the windows of a device are always of one gateway, and what comes while
    that one is away waits in its session at the broker.
    """

    number: int = 1
    of: int = 1

    @staticmethod
    def parse(text: str) -> Share:
        """From "2/3", as the settings have checked it."""
        number, _, of = text.partition("/")
        return Share(int(number), int(of))

    def takes(self, city: str, device: str) -> bool:
        """Whether a device is of this share. What stands behind a dot is a part of the device: it goes where that goes,
        also where the whole id is all that is known.
        """
        if self.of == 1:
            return self.number == 1
        whole = device.partition(".")[0]
        return crc32(f"{city}/{whole}".encode()) % self.of == self.number - 1


ALL = Share()


class Routes:
    """The routes of a gateway's sources. `served`: the cities, and of each the devices (none: all), that messages may
    name. None: the first UNCONFIGURED cities; `met`: those known before. `share`: of the devices at the brokers.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        served: Served | None = None,
        met: Iterable[str] = (),
        share: Share = ALL,
    ) -> None:
        self._given = sources
        self._sources = [(matcher(s.topic), s, None if s.reading else shortest(s.format, s.options)) for s in sources]
        self._served, self._share = served, share
        self._met = list(dict.fromkeys(met))[:UNCONFIGURED]
        self._found: dict[str, Route] = {}

    def find(self, address: str) -> Route:
        """The route of an address. Raises Rejected where there is none, NotServed where it is not configured here."""
        found = self._found.get(address)
        if found is None:
            found = self._make(address)
            if len(self._found) < _REMEMBERED:
                self._found[address] = found
        return found

    def _make(self, address: str) -> Route:
        for match, source, read in self._sources:
            levels = match(address)
            if levels is None:
                continue
            city, device = levels.get("city") or source.city or "", levels.get("device", "")
            mapped = source.reading is not None
            if not valid_id(city) or not (mapped or valid_id(device)):
                raise Rejected(f"the topic names no valid city and device (city '{city[:40]}', device '{device[:40]}')")
            if not mapped:
                self.check_served(city, device)
            options = replace(source.options, secret=city_key(source.options.secret, city))
            decode = source.reading.bind(address, levels, city) if source.reading else decoder(source.format)
            short = Plain(read, device, None) if read else None
            if source.reading:
                short = source.reading.plain(address, levels, city, options.secret)
            of_topic, paced = "" if mapped else device, source.door != "mqtt"
            named = source.reading.device(levels, city, options.secret) if source.reading else device
            if named and not paced and not self._share.takes(city, named):
                decode, short = _of_another, None
            if short and short.of and self._share.of > 1:  # each message may be of another gateway's device
                short = None
            users = may_carry_users(source.format)
            return Route(city, of_topic, decode, options, users, of_topic or address, paced, short, named)
        raise Rejected("no source is configured for this topic")

    def foreign(self) -> Callable[[str], bool] | None:
        """For a broker's link, in any thread: whether a topic names a device that another gateway takes. None where
        this one takes all.
        """
        return None if self._share.of == 1 else Routes(self._given, self._served, self._met, self._share).is_foreign

    def is_foreign(self, address: str) -> bool:
        """Whether an address names a device that another gateway takes; nothing is remembered of it."""
        try:
            return self._make(address).decode is _of_another
        except Rejected:
            return False

    def mine(self, route: Route, parts: list[Decoded]) -> list[Decoded]:
        """Of what a message names, the devices that this gateway takes. What comes through a door reaches no other."""
        if self._share.of == 1 or route.paced or route.device:
            return parts
        return [rows for rows in parts if rows.device is None or self._share.takes(route.city, rows.device)]

    def check_served(self, city: str, device: str) -> None:
        """Raise NotServed for a city or device that is not configured here."""
        if self._served is None:
            self._check_met(city)
            return
        devices = self._served.get(city)
        if devices is None:
            raise NotServed(f"city '{city}' is not served by this gateway", city)
        if devices and device not in devices:
            what = f"device '{device}' of city '{city}'"
            raise NotServed(f"{what} is not served by this gateway", f"{city}/{device}")

    def _check_met(self, city: str) -> None:
        if city not in self._met:
            if len(self._met) >= UNCONFIGURED:
                raise NotServed(
                    f"city '{city}' is one more than {UNCONFIGURED}; list the cities of this gateway under cities",
                    city,
                )
            self._met.append(city)

    @property
    def cities(self) -> list[str]:
        """The cities that are served, sorted."""
        return sorted(self._met if self._served is None else self._served)


def _of_another(payload: bytes, arrival: int, options: SourceOptions) -> Decoded:  # noqa: ARG001 - a decoder
    """Of a device that another gateway takes: nothing."""
    return Decoded()
