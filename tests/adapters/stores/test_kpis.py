"""KPI values: what every store does with them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from adapters.postgres.store import PostgresStore
from adapters.store import Store
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.windows import DAY, HOUR
from tests.adapters.stores.samples import EXAMPLES, T0, any_kpi, kpi, values

TEXTS = [
    "", " ", "a, b = c", 'say "x"', "it's", "two\nlines\r\nand\ttab", "back\\slash\\", "\\n", "\\\\\"'", "µg/m³",
    "東京 🌍", "#", "i", "t", '",n_devices=9i', "' OR 1=1 --", "%s %d {x}", "\u2028 \x85 \x0b",
]  # fmt: skip


def test_what_is_written_is_read(store: Store) -> None:
    store.put_kpis([kpi()])
    assert store.kpis(KpiQuery("aba")) == [kpi()]


def test_no_values_are_no_error(store: Store) -> None:
    store.put_kpis([])
    assert store.kpis(KpiQuery("aba")) == []
    assert store.kpis_changed("aba", 0) == []


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_kpi=any_kpi)
def test_every_field_comes_back_as_it_was(store: Store, given_kpi: StoredKpi) -> None:
    if isinstance(store, PostgresStore):  # the one text that its databases cannot hold
        given_kpi = msgspec.structs.replace(given_kpi, kpi=without_nul(given_kpi.kpi))
    store.put_kpis([given_kpi])
    assert given_kpi in store.kpis(KpiQuery("aba"))


def without_nul(value: KpiValue) -> KpiValue:
    texts = {k: v.replace("\0", "\ufffd") for k, v in msgspec.structs.asdict(value).items() if isinstance(v, str)}
    return msgspec.structs.replace(value, **texts)


def test_a_second_write_replaces(store: Store) -> None:
    store.put_kpis([kpi(1.0)])
    store.put_kpis([kpi(2.0, revision=2, status="provisional")])
    assert store.kpis(KpiQuery("aba")) == [kpi(2.0, revision=2, status="provisional")]


def test_a_value_that_becomes_insufficient_is_none(store: Store) -> None:
    store.put_kpis([kpi(1.0, previous=0.5)])
    store.put_kpis([kpi(None, status="insufficient", previous=None)])
    assert store.kpis(KpiQuery("aba")) == [kpi(None, status="insufficient")]


def test_a_value_that_comes_back_is_read(store: Store) -> None:
    for value in (1.0, None, 3.0):
        store.put_kpis([kpi(value, previous=value)])
    assert store.kpis(KpiQuery("aba")) == [kpi(3.0, previous=3.0)]


def test_zero_is_a_value(store: Store) -> None:
    store.put_kpis([kpi(0.0, previous=0.0)])
    assert store.kpis(KpiQuery("aba")) == [kpi(0.0, previous=0.0)]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back(store: Store, text: str) -> None:
    store.put_kpis([kpi(notes=text, method=text, unit=text)])
    assert store.kpis(KpiQuery("aba")) == [kpi(notes=text, method=text, unit=text)]


def test_a_value_without_part_is_no_part_of_another(store: Store) -> None:
    store.put_kpis([kpi(1.0, part=""), kpi(2.0, part="no2")])
    assert [(k.kpi.part, k.kpi.value) for k in store.kpis(KpiQuery("aba"))] == [("", 1.0), ("no2", 2.0)]


def test_values_are_sorted_by_code_part_kind_and_time(store: Store) -> None:
    mixed = [
        kpi(code=code, part=part, kind=kind, start=T0 + day * DAY)
        for code in ("B", "A:1", "A")
        for part in ("so2", "", "no2")
        for kind in ("year", "day")
        for day in (2, 0, 1)
    ]
    store.put_kpis(mixed)
    assert store.kpis(KpiQuery("aba")) == sorted(mixed, key=lambda v: v.kpi.identity)


def test_a_range_holds_its_start_and_not_its_end(store: Store) -> None:
    store.put_kpis([kpi(day, kind="day", start=T0 + day * DAY) for day in range(4)])
    assert values(store.kpis(KpiQuery("aba", start=T0 + DAY, end=T0 + 3 * DAY))) == [1.0, 2.0]
    assert values(store.kpis(KpiQuery("aba", start=T0 + 2 * DAY))) == [2.0, 3.0]
    assert values(store.kpis(KpiQuery("aba", end=T0 + DAY))) == [0.0]


def test_a_rolling_value_stands_at_the_end_of_its_period(store: Store) -> None:
    store.put_kpis([kpi(kind="24h", start=T0, end=T0 + DAY)])
    assert store.kpis(KpiQuery("aba", start=T0 + DAY, end=T0 + DAY + 1)) != []
    assert store.kpis(KpiQuery("aba", start=T0, end=T0 + DAY)) == []


def test_only_the_kinds_asked_for_are_read(store: Store) -> None:
    store.put_kpis([kpi(1.0, kind="year"), kpi(2.0, kind="month"), kpi(3.0, kind="day")])
    assert values(store.kpis(KpiQuery("aba", kinds=["year", "day"]))) == [3.0, 1.0]
    assert store.kpis(KpiQuery("aba", kinds=[])) == []


def test_only_the_codes_asked_for_are_read(store: Store) -> None:
    store.put_kpis([kpi(1.0, code="A"), kpi(2.0, code="B"), kpi(3.0, code="LOCAL:EV:ENERGY")])
    assert values(store.kpis(KpiQuery("aba", codes=["LOCAL:EV:ENERGY", "A"]))) == [1.0, 3.0]
    assert store.kpis(KpiQuery("aba", codes=[])) == []
    assert store.kpis(KpiQuery("aba", codes=["it's"])) == []


def test_filters_work_together(store: Store) -> None:
    store.put_kpis([kpi(h, code=c, kind="24h", end=T0 + h * HOUR) for c in ("A", "B") for h in range(5)])
    assert values(store.kpis(KpiQuery("aba", ["24h"], ["B"], T0 + HOUR, T0 + 3 * HOUR))) == [1.0, 2.0]


def test_two_cities_are_kept_apart(store: Store) -> None:
    store.put_kpis([kpi(1.0), kpi(2.0, city="bab", updated=9)])
    assert values(store.kpis(KpiQuery("aba"))) == [1.0]
    assert store.kpis_changed("aba", 0) == []


def test_changes_after_a_time_come_oldest_first(store: Store) -> None:
    store.put_kpis([kpi(t, code=f"C{9 - t}", updated=T0 + t) for t in (3, 1, 2, 4)])
    assert values(store.kpis_changed("aba", T0 + 1)) == [2.0, 3.0, 4.0]
    assert store.kpis_changed("aba", T0 + 4) == []


def test_a_rewrite_moves_a_value_among_the_changes(store: Store) -> None:
    store.put_kpis([kpi(1.0, code="A", updated=1), kpi(2.0, code="B", updated=2)])
    store.put_kpis([kpi(3.0, code="A", updated=3)])
    assert values(store.kpis_changed("aba", 0)) == [2.0, 3.0]


def test_6_000_values_are_all_read_again(store: Store) -> None:
    store.put_kpis(kpi(i, kind="24h", end=T0 + i * HOUR) for i in range(6_000))
    assert values(store.kpis(KpiQuery("aba"))) == list(range(6_000))


def test_what_a_start_needs_are_the_newest_and_what_is_provisional(store: Store) -> None:
    """Or nothing, where a store reads all values instead."""
    day = {"kind": "day", "code": "LOCAL:E:METERED", "part": ""}
    days = [kpi(n, start=T0 + n * DAY, end=T0 + (n + 1) * DAY, **day) for n in range(5)]
    late = kpi(7, start=T0 + 2 * DAY, end=T0 + 3 * DAY, status="provisional", **day)
    rolling = [kpi(n, kind="24h", start=T0 + n * HOUR, end=T0 + n * HOUR + DAY, status="provisional") for n in range(3)]
    store.put_kpis([*days, late, *rolling, kpi(3), kpi(4, city="bab")])
    found = store.kpis_to_start("aba")
    if found is not None:
        wanted = [days[-1], late, rolling[-1], kpi(3)]
        assert {v.kpi.identity: v for v in found} == {v.kpi.identity: v for v in wanted}
        assert store.kpis_to_start("cab") == []
