"""How a source's payloads become rows: its format's reader, its mapping, and what it passes over.

Formats are of two sorts: those with `decode` make rows by themselves (SenML); those with `read` give messages, which a
mapping (of a device template, or of the source's own keys) turns into rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from collections.abc import Mapping as Names
from zoneinfo import ZoneInfo

from gateway.decoding.decoded import Decoded, SourceOptions
from gateway.decoding.mapping import Mapper
from gateway.decoding.own_paths import OwnPaths
from gateway.decoding.paths import compiled
from gateway.decoding.plain import Plain, ReadPlain
from gateway.formats import Decode, Read, needs_others
from registry.mapping import Message
from telemetry.errors import Rejected
from telemetry.topics import matcher

_LARGEST = 8 << 20  # of an unpacked payload
_PACKED = b"\x1f\x78"  # how gzip and zlib begin


def unpacked(payload: bytes, largest: int = _LARGEST) -> bytes:
    """A payload without its gzip or zlib wrapping. Raises Rejected for one that is broken or unpacks to too much."""
    if payload[:2] == b"\x1f\x8b":
        bits = 31
    elif payload[:1] == b"\x78" and len(payload) > 6 and int.from_bytes(payload[:2], "big") % 31 == 0:
        bits = 15
    else:
        return payload
    reader = zlib.decompressobj(bits)
    try:
        plain = reader.decompress(payload, largest)
    except zlib.error as error:
        raise Rejected(f"compressed payload that cannot be unpacked: {error}") from error
    if reader.unconsumed_tail:
        raise Rejected(f"compressed payload of over {largest} bytes")
    return plain


class Reading:
    """Reads what arrives at the addresses of one source. `zone_of`: a city's time zone, None where it is not known.

    `own`: the paths that the source writes itself.
    """

    def __init__(
        self,
        message: Message,
        read: Read,
        devices: Names[str, str],
        zone_of: Callable[[str], ZoneInfo | None] = lambda _: None,
        own: OwnPaths | None = None,
    ) -> None:
        self.message, self._own = message, own
        self._read, self._devices, self._zone_of = read, devices, zone_of
        self._skip = [matcher(pattern) for pattern in message.skip]
        declared = message.frames
        self._frames = None if declared is None else tuple(frozenset(frame) for frame in declared)
        self._mappers: dict[tuple[str, bytes], Mapper] = {}

    def check(self) -> None:
        """Raise UsageError for a path that cannot be read."""
        Mapper(self.message, self._devices)

    def has(self, payload: bytes, levels: dict[str, str]) -> bool:
        """Whether a payload has what every message of this kind has. Raises Rejected where it cannot be read."""
        documents = self._read(unpacked(payload), levels)
        paths = [compiled(path) for path in self.message.has]
        return all(path(document) is not None for document in documents for path in paths)

    def bind(self, address: str, levels: dict[str, str], city: str) -> Decode:
        """The decoder of what arrives at one address, whose named levels are given."""
        if any(match(address) is not None for match in self._skip):
            return lambda payload, arrival, options: Decoded()  # noqa: ARG005 - a decoder
        read, frames, own = self._read, self._frames, self._own

        def decode(payload: bytes, arrival: int, options: SourceOptions) -> Decoded:
            if not payload:
                return Decoded()  # how a retained topic is cleared
            mapper = self._mappers.get((city, options.secret)) or self._mapper(city, options.secret)
            plain = unpacked(payload) if payload[0] in _PACKED else payload
            documents = read(plain, levels)
            rows = mapper.decoded(documents, levels, arrival)
            if own is not None and own.unclear:
                rows.problems = rows.problems + own.look(mapper.records(documents), not (rows.rows or rows.more))
            rows.frames = frames
            for of_device in rows.more:
                of_device.frames = frames
            return rows

        return decode

    def plain(self, address: str, levels: dict[str, str], city: str, secret: bytes) -> Plain | None:
        """The shortest way of what arrives at one address; None where there is none."""
        if self.message.format != "json" or self.message.options or "name" in levels:
            return None
        if any(match(address) is not None for match in self._skip):
            return None
        ways = (self._mappers.get((city, secret)) or self._mapper(city, secret)).shortest
        if ways is None:
            return None

        def of(payload: bytes = b"") -> Plain | None:
            try:
                found = ways.of(levels, payload)
            except Rejected:
                return None
            return None if found is None else self._plain(*found)

        by_payload = Plain(lambda *_: None, "", self._frames, of) if ways.are_by_payload(levels) else None
        return of() or by_payload

    def _plain(self, read: ReadPlain, device: str) -> Plain:
        own = self._own
        if own is None:
            return Plain(read, device, self._frames)
        return Plain(lambda *given: None if own.unclear else read(*given), device, self._frames)

    def device(self, levels: dict[str, str], city: str, secret: bytes) -> str:
        """The device of whatever arrives at an address with these levels; empty where the payload may name another, and
        where other devices' messages may be needed to read it.
        """
        if needs_others(self.message.format):
            return ""
        try:
            return (self._mappers.get((city, secret)) or self._mapper(city, secret)).device(levels)
        except Rejected:
            return ""

    def _mapper(self, city: str, secret: bytes) -> Mapper:
        zone = self.message.zone
        place = self._zone_of(city) if zone == "city" else ZoneInfo(zone) if zone else None
        made = self._mappers[city, secret] = Mapper(self.message, self._devices, place, secret)
        return made
