"""The comparison of the proof sees what is lost, doubled or in another order."""

from __future__ import annotations

import pytest

from tests.scale.compare import Difference, Message, difference

WANTED: list[Message] = [(b"a", b"1"), (b"a", b"2"), (b"b", b"1")]


@pytest.mark.parametrize(
    ("found", "lost", "doubled", "wrong"),
    [
        ([(b"b", b"1"), (b"a", b"1"), (b"a", b"2")], 0, 0, 0),
        ([(b"a", b"1"), (b"b", b"1")], 1, 0, 0),
        ([*WANTED, (b"a", b"2")], 0, 1, 0),
        ([(b"a", b"2"), (b"a", b"1"), (b"b", b"1")], 0, 0, 1),
        ([(b"a", b"1"), (b"a", b"3"), (b"b", b"1")], 1, 1, 0),
        ([], 3, 0, 0),
    ],
)
def test_what_differs_is_counted(found: list[Message], lost: int, doubled: int, wrong: int) -> None:
    counted = difference(WANTED, found)
    assert counted == Difference(3, lost, doubled, wrong)
    assert counted.is_equal == (lost + doubled + wrong == 0)
