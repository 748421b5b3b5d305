"""Every call of ingest to its store fails once, at each place in turn: the same is stored and published in the end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.mqtt.link import Message
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from cityvitals import processes
from ingest.core import Ingest
from ingest.service import Service
from telemetry.errors import CityVitalsError, Unavailable
from telemetry.kpi_value import KpiQuery
from telemetry.series import SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.ingest.samples import T0, NoNetwork, PutPoints, city, windows

STEP = 20_000  # ms between two rounds; longer than every pause
LONG = bool(os.environ.get("CITYVITALS_LONG"))  # every call, else every 51st, each way of failing 17 calls further
_LIVES = (4, 16)  # rounds before the process is started again, and after it


@dataclass
class Faults:
    """`at`: number of the call that fails; `after`: only its answer is lost."""

    at: int
    error: type[CityVitalsError] = Unavailable
    after: bool = False
    calls: list[str] = field(default_factory=list)
    starting: set[int] = field(default_factory=set)  # numbers of the calls until the cities were served

    def next(self, name: str) -> bool:
        """Whether this call fails."""
        self.calls.append(name)
        return len(self.calls) == self.at


class Failing:
    """A store, or a part of one, whose calls are counted."""

    def __init__(self, inner: Any, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name == "states":
            return Failing(found, self._faults)
        return self._call(name, found) if callable(found) else found

    @property
    def points(self) -> Any:
        return Failing(PutPoints(), self._faults)

    def _call(self, name: str, found: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            faults = self._faults
            fails = faults.next(name)
            if fails and not faults.after:
                raise faults.error(f"{name} failed")
            answer = found(*arguments, **options)
            if isinstance(answer, Iterator):
                return self._pieces(name, answer, fails)
            if fails:
                raise faults.error(f"the answer of {name} was lost")
            return answer

        return called

    def _pieces(self, name: str, answer: Iterator[Any], fails: bool) -> Iterator[Any]:
        for piece in answer:
            if fails:
                raise self._faults.error(f"the answer of {name} ended")
            yield piece


class Broker(NoNetwork):
    """Delivers again what was not acknowledged when the connection was given up."""

    open: list[bytes]

    def receive(self, timeout: float, limit: int = 2000) -> list[Message]:
        messages = super().receive(timeout, limit)
        self.open = [m.payload for m in messages]
        return messages

    def abort(self) -> None:
        super().abort()
        if self.open:
            self.batches.insert(0, self.open)
        self.open = []


def _batches() -> list[list[bytes]]:
    minutes = range(0, 150, 5)
    return [
        [windows(*minutes, number=1), windows(*minutes, device="m2", name="lag", number=2)],
        [windows(*minutes, device="m2", kwh=3.0, number=3)],
        [],
        [b"not a message", windows(3, 4, 200, number=4)],
        [windows(0, 5, device="m2", name="lag", kwh=7.0, number=5)],
        [windows(1440, 1441, 2000, number=6), windows(9, width=HOUR // 4, number=7)],
    ]


def life(folder: Path, faults: Faults) -> dict[str, Any]:
    """Two lives of the process over these batches; what is stored, published and kept at their end."""
    folder.mkdir()
    clock, link, rounds = [T0 + 50 * HOUR], Broker(_batches()), [0]
    for rounds_of_life in _LIVES:
        inner = SqliteStore(folder / "store.db")
        store: Any = Failing(inner, faults)

        def serve(store: Any = store) -> Ingest:
            made = Ingest(store)
            for name in ("aba", "lag"):
                made.add_city(city(name), MINUTE)
            return made

        before = len(faults.calls)
        ingest = processes.when_available(serve, lambda: False)
        faults.starting |= set(range(before + 1, len(faults.calls) + 1))
        rejects = Rejects.open(folder / "rejects.db")
        end = rounds[0] + rounds_of_life

        def stop(end: int = end) -> bool:
            clock[0] += STEP
            rounds[0] += 1
            return rounds[0] > end

        uplink: Any = link
        Service(ingest, uplink, rejects, lambda: clock[0], beat_ms=HOUR).run(stop)
        reasons = sorted({r.reason for r in rejects.newest()})
        rejects.db.close()
        inner.close()
    return _outcome(folder, link) | {"reasons": reasons, "left": link.batches}


def _outcome(folder: Path, link: NoNetwork) -> dict[str, Any]:
    store, found = SqliteStore(folder / "store.db"), dict[str, Any]()
    for name in ("aba", "lag"):
        for level in ("window", "hour"):
            table, rows = SeriesTable(), list[tuple[Any, ...]]()
            for part in store.partials(name, level, 0, 1 << 52, table):
                rows += [
                    (table[s].device, int(t), int(n), float(total))
                    for s, t, n, total in zip(part.series, part.start, part.n, part.sum, strict=True)
                ]
            found[f"{name} {level}"] = sorted(rows)
        values = [v.kpi for v in store.kpis(KpiQuery(name))]
        rows = [(k.code, k.part, k.kind, k.period, k.time, k.end, k.value, k.coverage, k.status) for k in values]
        found[f"{name} values"] = sorted(rows, key=repr)
    store.close()
    retained = {topic: payload for topic, payload, retain in link.published if retain}
    found["published"] = {
        topic: {kind: (v["period"], v["value"]) for kind, v in json.loads(payload).items()}
        for topic, payload in retained.items()
    }
    found["receipts"] = sorted({n for t, p, _ in link.published if t.endswith("/stored") for n in json.loads(p)})
    return found


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("error", "after", "first"),
    [(Unavailable, False, 0), (Unavailable, True, 17), (CityVitalsError, False, 34)],
    ids=["refused for now", "answer lost", "refused for good"],
)
def test_whatever_call_fails_the_outcome_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[CityVitalsError], after: bool, first: int
) -> None:
    monkeypatch.setattr(processes, "time", SimpleNamespace(sleep=lambda _: None))
    smooth = Faults(0)
    wanted = life(tmp_path / "smooth", smooth)
    assert wanted["left"] == []
    assert wanted["receipts"] == [1, 2, 3, 4, 5, 6, 7]
    assert wanted["aba values"]
    assert wanted["published"]
    wrong = []
    # A store that refuses from the beginning ends the start with a sentence; that is wanted.
    ending = smooth.starting if error is CityVitalsError else set()
    calls = [n for n in range(1, len(smooth.calls) + 1) if n not in ending]
    tried = calls if LONG else calls[first::51]
    for number in tried:
        faults = Faults(number, error, after)
        try:
            found = life(tmp_path / str(number), faults)
        except CityVitalsError as reason:
            wrong.append((number, faults.calls[number - 1], repr(reason)))
            continue
        differing = [name for name in wanted if wanted[name] != found[name]]
        if differing:
            wrong.append((number, faults.calls[number - 1], ", ".join(differing)))
    print(f"{len(tried)} calls failed, one in each run: {sorted(set(smooth.calls))}")
    assert wrong == []
