"""From the topic of values into a store, which API, reports and dashboards read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from adapters.kafka.topics import Entry
from adapters.store import Store
from scale.records import value_of
from telemetry.errors import CityVitalsError, Rejected, UsageError
from telemetry.kpi_value import StoredKpi

log = logging.getLogger(__name__)


class Reads(Protocol):
    """The topic."""

    def read(self, timeout: float) -> Sequence[Entry]:
        """Messages that were not read before, or not marked as done."""
        ...

    def done(self) -> None:
        """What was read is not given again."""
        ...


class Values:
    """Stores values, then marks them as done: after a crash the same values come again, which are upserts."""

    def __init__(self, topic: Reads, store: Store, pause: Callable[[], None]) -> None:
        self._topic, self._store, self._pause = topic, store, pause
        self._waiting: dict[tuple[str, str, str, str, int], StoredKpi] = {}
        self._unmarked = False

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop` returns True."""
        while not stop():
            self.step()

    def step(self, timeout: float = 0.5) -> None:
        """One round; while the store does not answer nothing more is read."""
        if not self._waiting and not self._unmarked:
            for entry in self._topic.read(timeout):
                self._unmarked = True
                try:
                    value = value_of(entry.value)
                except Rejected as reason:
                    log.warning("no KPI value under %r: %s", entry.key[:100], reason)
                    continue
                self._waiting[value.kpi.identity] = value
        try:
            if self._waiting:
                self._store.put_kpis(self._waiting.values())
            self._waiting = {}
            if self._unmarked:
                self._topic.done()
            self._unmarked = False
        except UsageError:
            raise
        except CityVitalsError as error:
            log.warning("values wait: %s", error)
            self._pause()
