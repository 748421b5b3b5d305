"""What one round stores: a part of what waits, and messages with few windows before those with many."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ingest.core import Ingest
from ingest.rounds import FEW_BYTES, PART_BYTES
from telemetry.errors import Unavailable
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from tests.ingest.samples import T0, windows
from tests.ingest.test_service import Bench

MANY = 1000


def bulk(number: int, device: str = "m1", kwh: float = 1.0) -> bytes:
    """A message with many windows."""
    made = windows(*range(MANY), device=device, kwh=kwh, number=number)
    assert FEW_BYTES < len(made) < PART_BYTES / 3
    return made


def receipts(bench: Bench) -> list[list[int]]:
    return [json.loads(p) for topic, p, _ in bench.link.published if topic.endswith("stored")]


def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many windows each call has stored, from now on."""
    found: list[int] = []
    take = Ingest.take

    def noted(self: Ingest, city: str, partials: Partials) -> int:
        found.append(len(partials))
        return take(self, city, partials)

    monkeypatch.setattr(Ingest, "take", noted)
    return found


def test_a_round_stores_a_part_of_what_waits_and_acknowledges_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [bulk(n, f"m{1 + n % 2}") for n in range(1, 13)]
    most = PART_BYTES // len(batch[0])
    bench, found = Bench(tmp_path, batch), taken(monkeypatch)
    bench.steps()
    assert found == [2 * MANY]  # of two devices, each once
    assert (receipts(bench), len(bench.link.acknowledged)) == ([list(range(1, most + 1))], most)
    bench.steps(12 // most)
    assert bench.link.acknowledged == batch
    assert [number for one in receipts(bench) for number in one] == list(range(1, 13))


def test_a_message_with_few_windows_does_not_wait_for_those_with_many(tmp_path: Path) -> None:
    few = windows(2000, device="m2", kwh=7.0, number=31)
    bench = Bench(tmp_path, [bulk(n) for n in range(1, 31)], [few])
    bench.steps(2)
    assert bench.held() == MANY + 1
    assert few not in bench.link.acknowledged
    assert max(receipts(bench)[-1]) < 30  # those of all before it come first: a gateway would send these again
    bench.steps(30)
    assert [number for one in receipts(bench) for number in one] == list(range(1, 32))
    assert bench.link.acknowledged[-1] == few


def test_an_older_state_of_a_window_does_not_replace_the_newer_that_was_stored_first(tmp_path: Path) -> None:
    batch = [bulk(n, "m2") for n in range(1, 30)] + [bulk(30, kwh=3.0)]

    def first() -> float:
        [stored] = bench.store.partials("aba", "window", T0, T0 + MINUTE, table, np.array([m1]))
        return float(stored.sum[0])

    table = SeriesTable()
    m1 = table.id_of(Series("aba", "m1", "energy_delta"))
    bench = Bench(tmp_path, batch, [windows(0, kwh=5.0, number=31)])
    bench.steps(2)
    assert (bench.held(), first()) == (MANY + 1, 5.0)
    bench.steps(30)
    assert (bench.held(), first()) == (2 * MANY, 5.0)


def test_after_a_failure_nothing_is_left_of_what_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [bulk(n) for n in range(1, 13)]
    bench = Bench(tmp_path, batch, batch)
    take = Ingest.take

    def away(*_: object) -> int:
        raise Unavailable("away")

    monkeypatch.setattr(Ingest, "take", away)
    bench.steps()
    assert (len(bench.service._rounds), bench.link.dropped, bench.link.acknowledged) == (0, 1, [])
    monkeypatch.setattr(Ingest, "take", take)
    bench.now += 60_000
    bench.steps(13)
    assert bench.link.acknowledged == batch
