"""Checkpoints: which hours were written since, and parts that are replaced all or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.store import Store
from adapters.stores import open_store
from telemetry.series import SeriesTable
from tests.adapters.stores.samples import partials
from tests.adapters.stores.states.given import DAY1, DAY2, LONG, of, put, put_hours


def test_a_store_that_has_none_has_none(store: Store) -> None:
    states = of(store)
    assert (states.number("aba"), states.head("aba"), states.parts("aba"), states.days_after("aba", 0)) == (
        0, None, {}, []
    )  # fmt: skip


def test_each_write_of_hours_has_a_larger_number_which_its_days_have(store: Store, url: str) -> None:
    put_hours(store, 0, 1)
    first = of(store).number("aba")
    put_hours(store, 1)
    second = of(store).number("aba")
    put_hours(store, 0, city="ikeja")
    other = of(open_store(url))
    for states in (of(store), other):
        assert 0 < first < second == states.number("aba")
        assert states.days_after("aba", 0) == [DAY1, DAY2]
        assert states.days_after("aba", first) == [DAY2]
        assert states.days_after("aba", second) == []
        assert states.number("ikeja") > 0
    put_hours(open_store(url), 0)
    assert of(open_store(url)).days_after("aba", second) == [DAY1]


def test_windows_have_no_number(store: Store) -> None:
    table = SeriesTable()
    store.put_partials("window", partials(table, ("a", 0, 1.0)), table)
    assert of(store).number("aba") == 0


def test_parts_are_replaced_stay_and_go(store: Store, url: str) -> None:
    put(of(store), {"main/n/1": b"one", "main/n/2": LONG, "empty": b""}, b"head")
    assert of(open_store(url)).parts("aba") == {"main/n/1": b"one", "main/n/2": LONG, "empty": b""}
    assert of(open_store(url)).head("aba") == b"head"
    put(of(store), {"main/n/1": LONG, "main/n/2": None}, LONG + b"2")
    assert of(open_store(url)).parts("aba") == {"main/n/1": LONG, "main/n/2": LONG}
    assert of(open_store(url)).head("aba") == LONG + b"2"
    resumed = of(open_store(url))
    assert resumed.head("aba")
    put(resumed, {"main/n/1": b"short", "main/n/2": None}, b"h3")
    assert of(open_store(url)).parts("aba") == {"main/n/1": b"short", "main/n/2": LONG}
    assert of(open_store(url)).head("aba") == b"h3"


def test_cities_have_checkpoints_of_their_own_and_one_can_be_dropped(store: Store, url: str) -> None:
    put(of(store), {"p": b"1"}, b"h1")
    put(of(store), {"p": b"2"}, b"h2", "ikeja")
    of(store).drop("aba")
    of(store).drop("ilesa")
    states = of(open_store(url))
    assert (states.head("aba"), states.parts("aba")) == (None, {})
    assert (states.head("ikeja"), states.parts("ikeja")) == (b"h2", {"p": b"2"})
    put(of(store), {"p": b"3"}, b"h3")
    assert (of(open_store(url)).head("aba"), of(open_store(url)).parts("aba")) == (b"h3", {"p": b"3"})


def test_where_a_part_cannot_be_made_the_checkpoint_before_is_whole(store: Store, url: str) -> None:
    def broken() -> Iterator[tuple[str, bytes | None]]:
        for number in range(40):
            yield f"p{number}", LONG + b"new"
        raise RuntimeError("a kill")

    put(of(store), {f"p{number}": LONG for number in range(40)}, b"old")
    with pytest.raises(RuntimeError):
        of(store).put("aba", broken(), lambda: b"new")
    states = of(open_store(url))
    assert (states.head("aba"), states.parts("aba")) == (b"old", {f"p{number}": LONG for number in range(40)})
    put(of(store), {f"p{number}": b"after" for number in range(40)}, b"after")
    states = of(open_store(url))
    assert (states.head("aba"), set(states.parts("aba").values())) == (b"after", {b"after"})
