"""The records of the log: an address, the time of arrival, and the message. Pure.

    cv/1/<city>/<gateway>/windows 1709294400000\n{"v":1,...}     windows, byte for byte as the gateway sent them
    cv/1/<city>/file 1709294400000\n{...}                        the city file as JSON
    cv/1/<city>/tick 1709294401000\n                             derive the values of the city at this time
    cv/1/<city>/forget, moved-hours, moved-windows ...           what an ingest has left of the city: `moving.py`

The key of a record is its city, so that the records of a city keep their order. Everything that a worker knows of the
time stands in the log: the same log gives the same values.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from telemetry.errors import Rejected
from telemetry.kpi_value import StoredKpi
from telemetry.topics import ROOT, valid_id


class Record(NamedTuple):
    """`time`: of arrival, ms UTC."""

    topic: str
    time: int
    payload: bytes = b""

    @property
    def city(self) -> str:
        """The city that the address names. Raises Rejected for another address."""
        levels = self.topic.split("/")
        if len(levels) < 4 or "/".join(levels[:2]) != ROOT or not valid_id(levels[2]):
            raise Rejected(f"'{self.topic}' is not the address of a record of a city")
        return levels[2]

    @property
    def kind(self) -> str:
        """windows, file or tick."""
        return self.topic.rpartition("/")[2]

    def encoded(self) -> bytes:
        """The record as it is written to the log."""
        return f"{self.topic} {self.time}\n".encode() + self.payload


def decoded(value: bytes) -> Record:
    """The record of these bytes. Raises Rejected."""
    head, _, payload = value.partition(b"\n")
    try:
        topic, time = head.decode().split(" ")
        return Record(topic, int(time), payload)
    except ValueError as error:
        raise Rejected("not a record of the log: no line with address and time") from error


def tick(city: str, time: int) -> Record:
    """Derive the values of a city at `time`."""
    return Record(f"{ROOT}/{city}/tick", time)


def city_file(city: str, config: bytes, time: int) -> Record:
    """The file of a city as JSON."""
    return Record(f"{ROOT}/{city}/file", time, config)


def value_message(value: StoredKpi) -> tuple[bytes, bytes]:
    """Key and value of a KPI value in its compacted topic: the identity, and JSON."""
    return "/".join(map(str, value.kpi.identity)).encode(), msgspec.json.encode(value)


_value = msgspec.json.Decoder(StoredKpi)


def value_of(message: bytes) -> StoredKpi:
    """The value of `value_message`. Raises Rejected."""
    try:
        return _value.decode(message)
    except msgspec.DecodeError as error:
        raise Rejected(f"not a KPI value: {error}") from error
