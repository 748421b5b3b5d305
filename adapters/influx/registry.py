"""City files in InfluxDB: measurement `registry`, one row a city; large ones in parts.

InfluxDB rejects a string over 1 MiB (64 KiB by its documentation), so what is larger than a part is compressed and
written to `registry_part` (tags city, slot, part) before the row of the city names it: a reader always finds a whole
file. The two slots take turns. Rows lie at time 0, which no shard of readings holds; where a retention policy rejects
that and there is none of their own (see policies.py), they get the server's time and are written again every few hours.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.influx.answers import columns, text
from adapters.influx.http import Answer, Connection, PartialWrite
from adapters.influx.lines import quoted, tag
from adapters.influx.policies import Policies
from adapters.store import CityRecord, PackedRecord
from telemetry.errors import Unavailable
from telemetry.windows import HOUR

log = logging.getLogger(__name__)

_PART = 48 << 10  # bytes of one string
_REFRESH = 6 * HOUR
_IN_PARTS = "in parts: "
_ROWS = msgspec.json.Decoder(Answer[tuple[int, str, int, str | None]])
_PARTS = msgspec.json.Decoder(Answer[tuple[int, str, str]])


class Registry:
    """The city files of one database."""

    def __init__(self, connection: Connection, policies: Policies) -> None:
        self._connection, self._policies = connection, policies
        self._written: dict[str, PackedRecord] = {}
        self._at = " 0"  # the end of a line: its time, or nothing for the server's
        self._since: int | None = None  # ms of the first KPI value after the last write

    def put(self, record: CityRecord) -> None:
        """Keep a city file."""
        plain = json.dumps(record.config, sort_keys=True)
        reads = json.dumps(record.reads, sort_keys=True)
        if len(plain) + len(reads) > _PART:
            plain, reads = self._put_parts(record.id, plain, reads), "{}"
        self._write(
            [f"registry,city={tag(record.id)} config={quoted(plain)},width={record.width}i,reads={quoted(reads)}"]
        )
        self._written[record.id] = PackedRecord.of(record)

    def _put_parts(self, city: str, plain: str, reads: str) -> str:
        """Write the parts; what the row of the city says of them."""
        whole = base64.b64encode(zlib.compress(json.dumps([plain, reads]).encode())).decode()
        digest = hashlib.sha256(whole.encode()).hexdigest()
        slot = "b" if self._slot(city) == "a" else "a"
        pieces = [whole[start : start + _PART] for start in range(0, len(whole), _PART)]
        for number, piece in enumerate(pieces):
            head = f"registry_part,city={tag(city)},slot={slot},part={number:05}"
            self._write([f"{head} data={quoted(piece)},digest={quoted(digest)}"])
        return f"{_IN_PARTS}{slot} {len(pieces)} {digest}"

    def _slot(self, city: str) -> str:
        """The slot that the city's row names."""
        configs = [config for _, config, _, _ in self._rows(city)]
        return configs[0].removeprefix(_IN_PARTS)[:1] if configs and configs[0].startswith(_IN_PARTS) else ""

    def _write(self, lines: list[str]) -> None:
        if self._policies.apart:
            self._at = " 0"
            self._policies.write([line + self._at for line in lines])
            return
        try:
            self._connection.write_all("\n".join(line + self._at for line in lines))
        except PartialWrite as error:
            if not self._at or "retention" not in str(error):
                raise
            log.info(
                "%s has a retention policy: city files are written under the time of the server",
                self._connection.target.base,
            )
            self._at = ""
            self._connection.write_all("\n".join(lines))

    def refresh(self, now: int) -> None:
        """Write the city files again where time makes them go. `now`: ms, of the values that are being written."""
        if self._at:
            return
        if self._since is None or now < self._since:
            self._since = now
        elif now - self._since >= _REFRESH:
            self._since = now
            self.write_again()

    def write_again(self) -> None:
        """Write all city files of this process: the database that had them is gone, or they are about to expire."""
        for record in list(self._written.values()):
            self.put(record.record())

    def cities(self, city: str | None = None) -> list[CityRecord]:
        """All cities, or one, sorted by id. Raises Unavailable where parts of a city file are missing."""
        found = []
        for name, config, width, reads in self._rows(city):
            whole = (config, reads)
            if config.startswith(_IN_PARTS):
                whole = self._joined(name, *config.removeprefix(_IN_PARTS).split())
            found.append(CityRecord(name, json.loads(whole[0]), width, json.loads(whole[1] or "{}")))
        return sorted(found, key=lambda record: record.id)

    def _rows(self, city: str | None) -> list[tuple[str, str, int, str | None]]:
        """City, configuration, width and reads of the newest row of each city."""
        where = f' WHERE "city" = {text(city)}' if city else ""
        newest: dict[str, tuple[Any, ...]] = {}
        for source in self._policies.sources("registry"):
            query = f'SELECT {columns(("config", "width", "reads"))} FROM {source}{where} GROUP BY "city"'  # noqa: S608
            found: dict[str, tuple[Any, ...]] = {}
            for piece in self._connection.query(query, _ROWS):
                for row in piece.values:
                    found[piece.tags["city"]] = max(found.get(piece.tags["city"], row), row, key=lambda r: r[0])
            newest |= found
        return [(name, row[1], row[2], row[3]) for name, row in newest.items()]

    def _joined(self, city: str, slot: str, count: str, digest: str) -> tuple[str, str]:
        """Configuration and reads, put together from their parts."""
        where = f'"city" = {text(city)} AND "slot" = {text(slot)}'
        parts: dict[str, str] = {}
        for source in self._policies.sources("registry_part"):
            query = f'SELECT {columns(("data", "digest"))} FROM {source} WHERE {where} GROUP BY "part"'  # noqa: S608
            for piece in self._connection.query(query, _PARTS):
                for _, data, of in piece.values:
                    if of == digest:
                        parts[piece.tags["part"]] = data
        if len(parts) != int(count):
            raise Unavailable(f"The city file of {city} is not whole in the store; start its ingest to write it again.")
        plain, reads = json.loads(zlib.decompress(base64.b64decode("".join(parts[name] for name in sorted(parts)))))
        return plain, reads


def sites_listed(records: Iterable[CityRecord]) -> Iterable[tuple[str, str]]:
    """Device and site of every device of these city files."""
    return ((d["id"], d.get("site", "")) for r in records for d in r.config.get("device", []))
