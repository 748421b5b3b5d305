"""Which windows messages are superseded: by the plain rule, over all messages of a topic that arrived before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sqlite.order import Order

A, B = "cv/1/aba/gw1/windows", "cv/1/aba/gw2/windows"
MESSAGES = st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 9)), max_size=12)


def memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


@given(st.lists(MESSAGES, max_size=4))
def test_a_message_is_superseded_by_a_larger_number_of_its_topic(batches: list[list[tuple[str, int]]]) -> None:
    order, before = Order(memory()), list[tuple[str, int]]()
    for batch in batches:
        for place, found in enumerate(order.superseded(batch)):
            topic, number = batch[place]
            earlier = [n for t, n in before + batch[:place] if t == topic]
            assert found is (number > 0 and number < max(earlier, default=0))
        order.mark_stored(batch)
        before += batch
        for topic in (A, B):
            assert order.newest(topic) == max((n for t, n in before if t == topic), default=0)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([1], [False]), ([0, 5, 0], [False, False, False]), ([5, 5], [False, False]), ([2, 1, 3], [False, True, False])],
)
def test_known_orders(numbers: list[int], expected: list[bool]) -> None:
    assert list(Order(memory()).superseded((A, n) for n in numbers)) == expected


def test_the_largest_numbers_are_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "order.db"
    db = sqlite3.connect(path, isolation_level=None)
    order = Order(db)
    assert order.newest(A) == 0
    order.mark_stored([(A, 1), (B, 4), (A, 3), (A, 2)])
    order.mark_stored([(A, 3), (B, 9)])
    order.mark_stored([(A, 2), (B, 0)])
    db.close()
    again = Order(sqlite3.connect(path, isolation_level=None))
    assert (again.newest(A), again.newest(B)) == (3, 9)
    assert list(again.superseded([(A, 2), (A, 3), (A, 4)])) == [True, False, False]


def test_the_first_number_is_noted() -> None:
    order = Order(memory())
    order.mark_stored([(A, 1)])
    assert order.newest(A) == 1


def test_what_is_not_newer_writes_nothing() -> None:
    db = memory()
    order = Order(db)
    order.mark_stored([(A, 3)])
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    order.mark_stored([(A, 3), (A, 2), (A, 0)])
    assert statements == []
