"""Readings of a synthetic city into the job of the distributed engine: the same calls as `Feed` of the embedded one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from adapters.sqlite.buffer import Buffer
from gateway.core import Core
from registry.city import City
from scale.job import CityJob
from scale.records import Record, city_file, tick
from scale.state import State
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import CALENDAR
from telemetry.topics import windows_topic
from telemetry.windows import MINUTE
from telemetry.wire import encode
from tests.kpi_derivation.engine.cities import NOW, Feed, pending, store
from tests.kpi_derivation.engine.model import Reading


def file_record(city: City) -> bytes:
    plain = msgspec.json.encode(city.model_dump(mode="json", exclude_defaults=True))
    return city_file(city.id, plain, NOW).encoded()


class JobFeed(Feed):
    """`state`: what the engine would keep; `restart` is a worker that was killed, its successor has nothing else."""

    def __init__(self, folder: Path, city: City) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.city = city
        self._core = Core(Buffer(folder / "gateway.db", MINUTE), [])
        self.state: State = {}
        self.log: list[bytes] = []
        self.found: dict[tuple[str, str, str, str, int], StoredKpi] = {}  # the compacted topic of values
        self._sent = 0
        self.restart()
        self.append(file_record(city))

    def restart(self) -> None:
        self._job = CityJob(self.city.id, self.state)

    def append(self, record: bytes) -> None:
        """One more record of the log, worked on at once."""
        self.log.append(record)
        output = self._job.take(record)
        assert output.rejected == []
        self.found.update({v.kpi.identity: v for v in output.values})

    def give(self, readings: Sequence[Reading], *, twice: bool = False) -> None:
        store(self._core, self.city, readings)
        table = self._core.buffer.table
        for partials in pending(self._core):
            if not len(partials):
                continue
            self._sent += 1
            message = encode(self.city.id, MINUTE, partials, table, self._sent)
            for _ in range(1 + twice):
                self.append(Record(windows_topic(self.city.id, "gw"), NOW, message).encoded())

    def derive(self) -> None:
        self.append(tick(self.city.id, NOW).encoded())

    def values(self) -> dict[tuple[str, str, str], KpiValue]:
        kept = (v.kpi for v in self.found.values() if v.kpi.kind in CALENDAR)
        return {(v.code, v.part, v.period): v for v in kept}
