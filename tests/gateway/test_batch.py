"""What a batch learns about names is bounded."""

from __future__ import annotations

import pytest

from gateway import batch
from gateway.batch import Batch
from gateway.decoding.decoded import Decoded
from telemetry.series import Series, SeriesTable


def test_a_sender_of_endless_new_names_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_KINDS", 100)
    table = SeriesTable()
    made = Batch(table)
    for number in range(1000):
        made.clear()
        rows = Decoded(rows=[(f"name{number}", None, 1.0, 5, 0, -1), ("no2", None, float(number), 5, 0, -1)])
        assert len(made.add("aba", "s1", rows, 9, 0)) == 1
        readings, _ = made.readings()
        assert (table.all, readings.value.tolist()) == ([Series("aba", "s1", "no2")], [float(number)])
    assert len(made._kinds) <= 102
