"""Ingest is killed at each call to its store in turn, before it or behind it, and started again: the same is stored and
published in the end, also where rows of the open hour wait.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from ingest.service import Service
from telemetry.windows import HOUR, MINUTE
from tests.ingest.samples import T0, PutPoints, city, windows
from tests.ingest.starting.test_ended_starts import Killed
from tests.ingest.test_store_fails_once import STEP, Broker, Failing, Faults, _outcome

LONG = bool(os.environ.get("CITYVITALS_LONG"))  # every call, else every 37th
ROUNDS = 24
NIGHT = 11 * 60  # minutes after T0: midnight in the city's time zone, UTC + 1


def batches() -> list[list[bytes]]:
    """Readings around hours and a midnight, late ones, and what is rejected."""
    around = [NIGHT - 61, NIGHT - 60, NIGHT - 1, NIGHT]
    return [
        [windows(*around[:2], number=1), windows(*around[:2], device="m2", name="lag", number=2)],
        [windows(*around, number=3), windows(*around, device="m2", number=4)],
        [windows(*around, device="m2", name="lag", kwh=2.0, number=5)],
        [],
        [b"not a message", windows(NIGHT + 1, NIGHT + 59, number=6), windows(3, number=7)],
        [windows(NIGHT + 60, number=8), windows(NIGHT + 60, device="m2", kwh=3.0, number=9)],
        [windows(NIGHT - 1, kwh=7.0, number=10), windows(NIGHT + 121, name="lag", number=11)],
    ]


class Mortal(Failing):
    """A store of a process that is killed in place of a call that fails."""

    def __getattr__(self, name: str) -> Any:
        return Mortal(self._inner.states, self._faults) if name == "states" else super().__getattr__(name)

    @property
    def points(self) -> Any:
        return Mortal(PutPoints(), self._faults)

    def _call(self, name: str, found: Any) -> Any:
        called, faults = super()._call(name, found), self._faults

        def killed(*arguments: Any, **options: Any) -> Any:
            before = len(faults.calls)
            try:
                return called(*arguments, **options)
            except faults.error as error:
                if before < faults.at <= len(faults.calls):
                    raise Killed from error
                raise

        return killed


def lives(folder: Path, faults: Faults, every: int) -> dict[str, Any]:
    """The process over all batches, started again where it was killed."""
    folder.mkdir()
    clock, link, rounds = [T0 + NIGHT * MINUTE], Broker(batches()), [0]
    link.open = []

    def stop() -> bool:
        clock[0] += STEP
        rounds[0] += 1
        return rounds[0] > ROUNDS

    while rounds[0] <= ROUNDS:
        inner, rejects = SqliteStore(folder / "store.db"), Rejects.open(folder / "rejects.db")
        store: Any = Mortal(inner, faults)
        uplink: Any = link
        try:
            ingest = Ingest(store, every)
            for name in ("aba", "lag"):
                ingest.add_city(city(name), MINUTE)
            Service(ingest, uplink, rejects, lambda: clock[0], beat_ms=HOUR).run(stop)
        except Killed:
            link.abort()
        finally:
            rejects.db.close()
            inner.close()
    return _outcome(folder, link) | {"left": link.batches}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("every", [0, 30 * MINUTE])
def test_a_process_that_is_killed_anywhere_leaves_the_same(tmp_path: Path, every: int, after: bool) -> None:
    smooth = Faults(0)
    wanted = lives(tmp_path / "smooth", smooth, every)
    assert wanted["left"] == []
    assert wanted["receipts"] == list(range(1, 12))
    assert len(wanted["aba hour"]) == 11
    wrong = []
    for number in range(1, len(smooth.calls) + 1, 1 if LONG else 37):
        faults = Faults(number, after=after)
        found = lives(tmp_path / str(number), faults, every)
        if differing := [name for name in wanted if wanted[name] != found[name]]:
            wrong.append((number, faults.calls[number - 1], differing))
    assert wrong == []
