"""No payload stops a decoder, fills the memory, or leaves something in the store that could not be there."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import psutil
import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from gateway.decoding.decoded import EARLIEST
from gateway.formats import is_mapped, names
from ingest.core import Ingest
from telemetry.errors import Rejected
from telemetry.partials import Partials
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE
from telemetry.wire import decode, encode, number
from tests.fuzz.mutate import payloads
from tests.fuzz.seeds import MADE, NOW, seeds_of, windows

TOTAL = 1_000_000 if os.environ.get("CITYVITALS_LONG") else 50_000
BATCH = 500
FORMATS = [form for form in names() if not is_mapped(form)]
pytestmark = pytest.mark.timeout(7200 if TOTAL > 50_000 else 300)


class Limits:
    """No step may take long, and after a fifth of them memory may not grow: what is held now, for the largest size
    so far says nothing where an earlier test was larger.
    """

    def __init__(self, steps: int) -> None:
        self._first, self._done, self._before, self._began = steps // 5, 0, 0, time.process_time()

    def step(self) -> None:
        """After each step."""
        took = time.process_time() - self._began
        assert took < 5.0, f"a step took {took:.1f} s"
        self._done += 1
        if self._done >= self._first and self._done % 8 == 0:
            now = psutil.Process().memory_info().rss
            self._before = self._before or now
            assert now - self._before < 64 << 20, f"{(now - self._before) >> 20} MB more"
        self._began = time.process_time()


@pytest.mark.parametrize("form", FORMATS)
def test_the_gateway_stores_or_keeps_with_a_reason_whatever_comes(form: str, tmp_path: Path) -> None:
    seeds = seeds_of(form)
    core = Core(Buffer(tmp_path / "gateway.db", MINUTE), [Source("cv/1/{city}/{device}/data", form)])
    core.buffer.rejects._max_bytes = 1 << 20
    rng, steps, totals = Random(form), TOTAL * 2 // 5 // BATCH, Counter[str]()
    limits = Limits(steps)
    for step in range(steps):
        batch = [Incoming("cv/1/aba/s1/data", p, retain=rng.random() < 0.1) for p in payloads(seeds, rng, BATCH)]
        counts = core.accept(batch, NOW + step * MINUTE)  # faster, a sender's budget would refuse what is not decoded
        assert counts.received == BATCH
        totals.update(counts._asdict())
        limits.step()
    few = totals["received"] // 200
    # Those made for it reach every outcome; the cases of a format need not.
    outcomes = ("stored", "duplicate", "flagged", "rejected") if form in MADE else ("stored", "rejected")
    assert min(totals[name] for name in outcomes) > few, "payloads get nowhere"
    t, value = core.buffer.db.execute("SELECT min(t), max(abs(value)) FROM every_reading").fetchone()
    assert t >= EARLIEST
    assert value <= 1.8e308
    dirty, partials = core.pending(1_000_000)
    assert len(partials) == len(dirty.window) > 0
    encode("aba", MINUTE, partials, core.buffer.table)
    for kept in core.buffer.rejects.newest(100):
        assert kept.reason


def test_windows_messages_are_used_or_refused_with_a_reason(tmp_path: Path) -> None:
    from adapters.sqlite.store import SqliteStore

    store = SqliteStore(tmp_path / "store.db")
    ingest, good, rng = Ingest(store), 0, Random("windows")
    seeds, parts, limits = [windows()], list[Partials](), Limits(TOTAL // 5 // BATCH)
    for done, payload in enumerate(payloads(seeds, rng, TOTAL // 5)):
        if done % BATCH == 0:
            limits.step()
        assert number(payload) >= 0
        try:
            city, width, partials = decode(payload, ingest.table)
            ingest.check_width(city, width)
        except Rejected as reason:
            assert str(reason)  # noqa: PT017 - either way is right
            continue
        good += 1
        parts.append(partials)
        if len(parts) == 100:
            ingest.take(city, Partials.concat(parts).latest())
            parts.clear()
    assert good > TOTAL // 500
    table = SeriesTable()
    for city in {s.city for s in ingest.table.all}:
        for part in store.partials(city, "window", 0, 1 << 52, table):
            assert (part.n >= 0).all()
            assert not np.isnan(part.sum).any()


def test_numbers_of_records_of_any_size_do_not_stop_the_ledger(tmp_path: Path) -> None:
    core = Core(Buffer(tmp_path / "gateway.db", MINUTE), [Source("cv/1/{city}/{device}/data", "senml")])
    rng = Random("ledger")
    for _ in range(20):
        batch = []
        for _ in range(200):
            label = {"boot": rng.choice([0, 1, 2**40]), "seq": rng.choice([rng.randrange(2000), 2**52, 999_999])}
            body = [{"bt": 1709290000, "n": "no2", "v": 1, **label}]
            batch.append(Incoming("cv/1/aba/s1/data", json.dumps(body).encode()))
        core.accept(batch, NOW)
    [totals] = core.ledger.report(0)
    assert totals.sent == totals.received + totals.missing
    for request in core.ledger.requests(NOW + 10_000):
        assert request.command["to"] - request.command["from"] < 5000
