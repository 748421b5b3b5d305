"""A start reads the newest values and those that are not final, and others when they are looked for: same results."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Store
from ingest.known import Known
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.periods import CALENDAR, KINDS, PeriodKind
from telemetry.windows import DAY, HOUR
from tests.adapters.stores.samples import T0, kpi
from tests.kpi_derivation.engine.cities import Feed, feed_in_pieces, synthetic

LENGTH: dict[PeriodKind, int] = {
    "day": DAY, "month": 30 * DAY, "quarter": 91 * DAY, "year": 365 * DAY, "24h": DAY, "365d": 365 * DAY,
}  # fmt: skip


class Eager(SqliteStore):
    """All values are read at the start."""

    def kpis_to_start(self, _city: str) -> list[StoredKpi] | None:
        return None


class Counting(SqliteStore):
    """Counts the values that are read."""

    count = 0

    def _kpis(self, *arguments: str | tuple[object, ...]) -> list[StoredKpi]:
        found = super()._kpis(*arguments)  # type: ignore[arg-type]
        self.count += len(found)
        return found


def some_values(draw: random.Random, count: int) -> list[StoredKpi]:
    """Values of all kinds over four years, some provisional, some KPIs long ended."""
    found = {}
    for number in range(count):
        kind, code = draw.choice(KINDS), draw.choice("ABC")
        start = T0 + draw.randrange(0, 4 * 365 if code != "C" else 500) * DAY
        start -= start % (HOUR if kind == "24h" else DAY)
        status = "provisional" if draw.random() < 0.02 or kind not in CALENDAR else "final"
        end = start + LENGTH[kind]
        value = kpi(number, code=code, kind=kind, start=start, end=end, status=status, part=draw.choice(["", "x"]))
        found[value.kpi.identity] = value
    return list(found.values())


@pytest.mark.parametrize("seed", range(6))
def test_every_value_is_found_in_whatever_order(seed: int, tmp_path: Path) -> None:
    draw, store = random.Random(seed), Counting(tmp_path / "store.db")
    values = some_values(draw, 3000)
    store.put_kpis(values)
    expected, known = {v.kpi.identity: v for v in values}, Known(store, "aba")
    first = {v.kpi.identity for v in known.in_memory()}
    assert first >= {i for i, v in expected.items() if v.kpi.status == "provisional" and v.kpi.kind in CALENDAR}
    for code, part, kind in {i[1:4] for i in expected}:
        assert max(i for i in expected if i[1:4] == (code, part, kind)) in first
    for turn in range(300):
        identity = draw.choice(list(expected))
        if draw.random() < 0.2:
            identity = (*identity[:4], identity[4] + 5 * DAY)
        assert known.get(identity) == expected.get(identity)
        if draw.random() < 0.2:
            fresh = some_values(draw, 3)
            assert all(known.get(v.kpi.identity) == expected.get(v.kpi.identity) for v in fresh)
            store.put_kpis(fresh)
            replaced = {v.kpi.identity: expected[v.kpi.identity] for v in fresh if v.kpi.identity in expected}
            assert known.before(fresh) == replaced
            known.update(fresh)
            expected |= {v.kpi.identity: v for v in fresh}
        time = T0 + draw.randrange(0, 5 * 365) * DAY
        if turn % 100 == 99:
            kinds = draw.sample(KINDS, 3)
            after = {v.identity: v for v in known.ending_after(time, kinds)}
            assert after == {i: v.kpi for i, v in expected.items() if v.kpi.end > time and v.kpi.kind in kinds}
    assert {v.kpi.identity: v for v in known.all()} == expected


def test_a_start_reads_few_of_many_values(tmp_path: Path) -> None:
    store = Counting(tmp_path / "store.db")
    days = [kpi(n, kind="day", start=T0 + n * DAY, end=T0 + (n + 1) * DAY) for n in range(5000)]
    store.put_kpis(days)
    known = Known(store, "aba")
    assert known.get(days[-1].kpi.identity) == days[-1]
    assert known.get((*days[-1].kpi.identity[:4], T0 + 5000 * DAY)) is None
    assert known.ending_after(T0 + 4999 * DAY, KINDS) == [days[-1].kpi]
    assert store.count < 20
    assert known.get(days[7].kpi.identity) == days[7]
    assert store.count < 40


def test_the_newest_value_that_was_not_withdrawn_is_found_behind_one_that_was(tmp_path: Path) -> None:
    """Also one without a value, and one of long ago; a KPI may have none but those that were withdrawn."""
    store = Counting(tmp_path / "store.db")

    def day(number: int, code: str, **more: Any) -> StoredKpi:
        return kpi(5.0, code=code, kind="day", start=T0 + number * DAY, end=T0 + (number + 1) * DAY, **more)

    gone: dict[str, Any] = {"status": "not_applicable", "reason": "future"}
    rows = [day(n, code) for code, last in (("A", 1001), ("B", 3)) for n in range(last)]
    empty = day(1001, "A", reason="no_data")
    store.put_kpis([*rows, empty, *(day(n, code, **gone) for code in "ABC" for n in (1002, 1003))])
    newest = {(v.kpi.code, v.kpi.reason == "future"): v for v in sorted(
        Known(store, "aba").newest(), key=lambda v: v.kpi.start
    )}  # fmt: skip
    assert newest["A", False] == empty
    assert newest["B", False] == rows[-1]
    assert ("C", False) not in newest
    assert newest["C", True].kpi.start == T0 + 1003 * DAY


class EagerFeed(Feed):
    """The same with a store that reads all values at the start."""

    def _opened(self) -> Store:
        return Eager(self.path)


@pytest.mark.parametrize("seed", range(4))
def test_random_feeds_and_restarts_leave_the_same_values(seed: int, tmp_path: Path) -> None:
    """With their revisions, the values that they replace and the times of change."""
    made, stored = synthetic(seed), list[list[StoredKpi]]()
    for name, kind in (("lazy", Feed), ("eager", EagerFeed)):
        feed = kind(tmp_path / name, made.city)
        feed_in_pieces(feed, made.readings, random.Random(seed))
        stored.append(feed.store.kpis(KpiQuery(made.city.id)))
    assert stored[0] == stored[1]
