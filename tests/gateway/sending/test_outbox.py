"""Which windows go into which message: each exactly once, at most 2000 of one city a message, numbers without a gap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adapters.sqlite.buffer import Dirty
from gateway.outbox import carriers, window_messages
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE

NAMES = [Series("bel", "s1", "no2"), Series("aba", "s1", "no2"), Series("aba", "s2", "no2")]
TABLE = SeriesTable(NAMES)


def partials(rows: list[tuple[int, int]]) -> Partials:
    """One window for each (series, minute), in this order."""
    found = fold(
        Readings.of([s for s, _ in rows], [m * MINUTE for _, m in rows], [1.0] * len(rows)),
        MINUTE,
        np.full(len(rows), math.nan),
    )
    place = {pair: i for i, pair in enumerate(zip(found.series.tolist(), found.start.tolist(), strict=True))}
    return found.take(np.array([place[s, m * MINUTE] for s, m in rows], dtype=np.int64))


def content(found: Partials) -> list[tuple[int, int]]:
    return list(zip(found.series.tolist(), (found.start // MINUTE).tolist(), strict=True))


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (1999, [1999]), (2000, [2000]), (2001, [2000, 1]), (4500, [2000, 2000, 500])]
)
def test_a_message_holds_at_most_2000_windows(count: int, sizes: list[int]) -> None:
    rows = [(1, m) for m in range(count)]
    sent = window_messages(partials(rows), TABLE, 41)
    assert [len(m.partials) for m in sent] == sizes
    assert [m.number for m in sent] == [42, 43, 44][: len(sizes)]
    assert [pair for m in sent for pair in content(m.partials)] == rows


def test_each_message_has_windows_of_one_city() -> None:
    rows = [(1, 5), (0, 5), (2, 4), (0, 3), (1, 3)]
    sent = window_messages(partials(rows), TABLE, 0)
    assert [(m.number, m.city, content(m.partials)) for m in sent] == [
        (1, "aba", [(1, 5), (2, 4), (1, 3)]),
        (2, "bel", [(0, 5), (0, 3)]),
    ]


def test_no_windows_make_no_message() -> None:
    assert window_messages(Partials.empty(), TABLE, 7) == []
    assert window_messages(Partials.empty(), SeriesTable(), 7) == []


def test_each_dirty_window_is_carried_by_the_message_that_has_it() -> None:
    sent = window_messages(partials([(1, m) for m in range(2001)] + [(0, 0)]), TABLE, 10)
    assert [m.number for m in sent] == [11, 12, 13]
    dirty = [(0, 0, 13), (1, 2000, 12), (1, 0, 11), (2, 9, 11)]  # the last one has no readings: it goes with the first
    columns = [np.array(c, dtype=np.int64) for c in zip(*dirty, strict=True)]
    found = carriers(Dirty(columns[0], columns[1] * MINUTE, np.ones(4, dtype=np.int64)), sent)
    assert found.tolist() == columns[2].tolist()
