"""`cityvitals replay`: recorded readings through the same quality control, fold, store and KPI code as live data."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from adapters.files.table import Chunk
from adapters.retried import retried
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.rejects import RejectedMessage
from adapters.store import Store
from cityvitals.replay.columns import Converted, Sessions, convert
from cityvitals.replay.direct import Direct
from gateway.batch import Batch
from gateway.core import Core
from gateway.plausible import Registered
from gateway.recorded import How, read
from ingest.core import Ingest
from registry.city import City
from registry.quantity import with_nearest
from telemetry.errors import Rejected
from telemetry.partials import Partials, fold
from telemetry.stamps import read_stamp


class Progress(Protocol):
    """Shows how far the work `name` is: `done` more of `total` (None: as before)."""

    def __call__(self, name: str, done: int, total: int | None = None) -> None:
        """Advance."""
        ...


_SHOWN = 10


class Summary(msgspec.Struct):
    """Counts of a replay. `stored`: readings new to the store; `duplicates`: readings that it contained already.

    `deleted`: windows that were not stored, because the store's windows of their time are deleted.
    """

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    flagged: int = 0
    rejected: int = 0
    problems: list[str] = []
    unregistered: dict[str, int] = {}
    unasked: dict[str, int] = {}
    windows: int = 0
    deleted: int = 0
    kpis: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Rows read a second."""
        return self.rows / self.seconds if self.seconds else 0.0


def buffer_path(store_url: str, city: str) -> Path:
    """The file of a replay's raw readings: the embedded store's own file, else one in the user's state folder."""
    if store_url.startswith("sqlite:///"):
        return Path(store_url.removeprefix("sqlite:///"))
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256(store_url.encode()).hexdigest()[:12]
    return state / "cityvitals" / f"replay-{city}-{name}.db"


class Replay:
    """Readings of one city into a store, through a gateway core and an ingest core in this process."""

    def __init__(self, city: City, store: Store, buffer: Path, width: int) -> None:
        self.city, self.width = city, width
        self.ingest = Ingest(store)
        self.ingest.add_city(city, width)
        self.buffer = Buffer(buffer, width)
        self.buffer.table.set_rollovers(city.id, city.rollovers)
        self._direct = Direct(self.buffer, city.id)
        self._core = Core(self.buffer, [])
        self._batch = Batch(self.buffer.table, Registered.of([city]))
        self._sessions = Sessions()
        self.summary = Summary()
        self._registered = {d.id for d in city.device}
        if store.span(city.id, "window") is None:
            self.buffer.mark_all_dirty()
        # Windows leave the outbox before their KPIs are derived; a run that was killed in between leaves this entry.
        self._mark = f"gw_underived:{city.id}"
        if self.buffer.counters().get(self._mark) or self._direct.interrupted:
            self.ingest.cities[city.id].touch_everything()

    def take(self, chunk: Chunk, now: int) -> None:
        """Store one chunk's raw readings. `now`: ms UTC, the limit of plausible times."""
        converted = convert(chunk, self.city.id, self._batch, self.buffer.table, now, self._sessions)
        self.add_converted(converted, f"replay:{chunk.path.name}", now)
        self.summary.rows += len(chunk) + len(chunk.invalid)
        self.summary.problems += [
            f"{chunk.path.name}, line {b.line}: {with_nearest(b.reason)}" for b in converted.invalid[:_SHOWN]
        ]
        self._count_unregistered(converted)

    def _count_unregistered(self, converted: Converted) -> None:
        """Count readings of unregistered devices, which are stored and not part of any KPI."""
        ids, counts = np.unique(converted.readings.series, return_counts=True)
        for series, count in zip(ids.tolist(), counts.tolist(), strict=True):
            device = self.buffer.table[series].device
            if device not in self._registered:
                self.summary.unregistered[device] = self.summary.unregistered.get(device, 0) + count

    def add_converted(self, converted: Converted, origin: str, now: int) -> None:
        """Store readings that are columns already."""
        rejects = [RejectedMessage(now, f"{origin}:{b.line}", b.text.encode(), b.reason) for b in converted.invalid]
        flagged = int((converted.readings.flag != 0).sum())
        readings = converted.readings
        sent = self._direct.rows(readings)
        counts = self._core.store(readings, rejects, len(readings), len(rejects) - flagged, sent=sent)
        s = self.summary
        s.stored, s.duplicates = s.stored + counts.stored, s.duplicates + counts.duplicate
        s.flagged, s.rejected = s.flagged + counts.flagged, s.rejected + counts.rejected
        if sent is not None and sent.any():
            new = readings.take(np.flatnonzero(sent))
            new = replace(new, value=new.value + 0.0)  # a stored -0.0 is 0.0
            self._store(fold(new, self.width, self.buffer.table.modulus(new.series)))

    def _store(self, windows: Partials) -> None:
        """Pass windows to ingest."""
        ids = np.array([self.ingest.table.id_of(n) if n.city == self.city.id else -1 for n in self.buffer.table.all])
        numbered = replace(windows, series=ids[windows.series])
        refused = retried(partial(self.ingest.take, self.city.id, numbered))
        self.summary.windows += len(windows) - refused
        self.summary.deleted += refused

    def flush(self) -> Iterator[int]:
        """Fold dirty windows and pass them to ingest; yields the number of windows of each step."""
        while True:
            dirty, partials = self._core.pending(100_000, newest_first=False, city=self.city.id)
            if not len(dirty.window):
                return
            self._store(partials)
            with self.buffer.transaction():
                self.buffer.count({self._mark: 1})
                self._core.confirm(dirty)
            yield len(partials)

    def derive(self, now: int) -> None:
        """Derive the KPIs that the flushed windows affect."""
        self.summary.kpis += len(retried(partial(self.ingest.derive, now)))
        with self.buffer.transaction():
            self.buffer.count({self._mark: -self.buffer.counters().get(self._mark, 0)})
            self._direct.sent()


def slices(chunk: Chunk, seconds: float) -> Iterable[Chunk]:
    """Parts of a chunk that each span at most `seconds` of recorded time, in file order, invalid rows included."""
    begin, since = 0, None
    for i, text in enumerate(chunk.columns[0]):
        t = _instant(text)
        if t is not None and since is not None and abs(t - since) >= seconds * 1000:
            yield chunk.part(begin, i)
            begin, since = i, None
        since = t if since is None else since
    yield replace(chunk.part(begin), invalid=chunk.invalid)


def _instant(text: str) -> int | None:
    try:
        return read_stamp(text)
    except Rejected:
        return None


class Pace:
    """Recorded time against real time: `speed` recorded seconds pass in one second."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first: int | None = None
        self._began = 0.0

    def wait_for(self, part: Chunk) -> None:
        """Sleep until the part's first row is due."""
        t = next((t for text in part.columns[0] if (t := _instant(text)) is not None), None)
        if t is None:
            return
        if self._first is None:
            self._first, self._began = t, time.monotonic()
        due = self._began + (t - self._first) / 1000 / self._speed
        time.sleep(max(0.0, due - time.monotonic()))


def parts(paths: list[Path], speed: float | None, how: How) -> Iterator[Chunk]:
    """The files' rows: as fast as they are consumed, or each slice when it is due."""
    pace = Pace(speed) if speed else None
    for path in paths:
        for chunk in read(path, how):
            if pace is None or speed is None:
                yield chunk
                continue
            for part in slices(chunk, speed):
                pace.wait_for(part)
                yield part


def size(paths: list[Path]) -> int:
    """Bytes of the files."""
    return sum(path.stat().st_size for path in paths)


def run(replay: Replay, paths: list[Path], speed: float | None, progress: Progress, how: How | None = None) -> Summary:
    """Replay files; `speed`: recorded seconds a second, None for as fast as possible. `how`: they are to be read.

    Progress of "reading" is in bytes of the files, of "folding" in windows.
    """
    began, how, total = time.perf_counter(), how or How(), size(paths)
    for part in parts(paths, speed, how):
        replay.take(part, _now())
        progress("reading", part.size, total)
        if speed is not None:
            finish(replay, progress)
    progress("reading", total, total)
    finish(replay, progress)
    replay.summary.unasked = how.unasked
    replay.summary.seconds = time.perf_counter() - began
    return replay.summary


def finish(replay: Replay, progress: Progress) -> None:
    """Fold, store and derive everything that was added."""
    total = replay.buffer.backlog()[0]
    progress("folding", 0, total)
    for windows in replay.flush():
        progress("folding", windows, total)
    replay.derive(_now())


def _now() -> int:
    return time.time_ns() // 1_000_000
