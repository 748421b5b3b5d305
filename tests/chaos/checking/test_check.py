"""What the comparison at the end of a chaos run finds, and that a seed always gives the same storm."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.checking import batch, check, stored
from tests.chaos.checking.batch import Reading
from tests.chaos.checking.stored import Kpi, Row
from tests.chaos.direct import KINDS, DirectDevice
from tests.chaos.faults import FAULTS, schedule

SENT = [Reading("d", "no2", 60_000 + n, "", float(n)) for n in range(3)]
ROW = Row("d", "no2", 60_000, (3, 3.0, 0.0, 2.0, 0.0, 2.0))


def partials(*rows: Row) -> list[str]:
    return check.partials("window", rows, batch.windows(SENT))


def test_what_is_right_is_not_spoken_of() -> None:
    assert partials(ROW) == []
    assert check.readings([(*r[:3], r.value) for r in SENT], SENT * 2) == []
    assert check.ledger({"d": (3, 3, 0, 0)}, {"d": 3}) == []


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([], "lost: 3 readings"),
        ([ROW, ROW], "doubled: "),
        ([ROW._replace(values=(4, 3.0, 0.0, 2.0, 0.0, 2.0))], "doubled: "),
        ([ROW._replace(values=(2, 3.0, 0.0, 2.0, 0.0, 2.0))], "lost: "),
        ([ROW._replace(values=(3, 3.0, 0.0, 2.0, 0.0, 1.0))], "wrong: "),
        ([ROW, ROW._replace(start=0)], "invented: "),
    ],
)
def test_windows_that_differ_are_named(rows: list[Row], wanted: str) -> None:
    [found] = partials(*rows)
    assert found.startswith(wanted)


def test_a_first_value_that_is_not_written_is_the_one_that_its_row_names() -> None:
    plain = {"n": 2, "sum": 3.0, "min": 1.0, "max": 2.0, "first": 7.0, "last": 5.0}
    found = [stored._values({**plain, "special": code << 57 | 1 << 61})[4] for code in range(4)]
    assert found == [7.0, 5.0, 1.0, 2.0]


def test_readings_are_compared_one_by_one() -> None:
    rows: list[Any] = [(*r[:3], r.value) for r in SENT]
    moved = [rows[0], rows[1], (*rows[2][:2], 60_003, 2.0)]  # the same window has the same sums
    assert [s.partition(":")[0] for s in check.readings(moved, SENT)] == ["lost", "doubled"]
    assert [s.partition(":")[0] for s in check.readings([*rows, rows[0]], SENT)] == ["doubled"]


def test_the_ledger_must_know_every_record_once() -> None:
    for wrong in ((4, 3, 0, 1), (3, 4, 0, 0), (3, 3, 1, 0)):
        assert check.ledger({"d": wrong}, {"d": 3})
    assert check.ledger({}, {"d": 3})


def test_a_value_is_of_the_hour_before_or_of_the_one_that_has_begun() -> None:
    a, b, gone = ("A", "", "2026"), ("B", "", "2026"), ("C", "", "2026")
    hours: list[dict[tuple[str, str, str], float | None]] = [{a: 1.0, b: 2.0, gone: 3.0}, {a: 1.5, b: 2.5}]
    rows = [Kpi("A", "", "year", "2026", 1.0), Kpi("B", "", "year", "2026", 2.5)]
    assert check.same_kpis(rows, check.as_of_either(rows, hours)) == []
    wrong = [rows[0], rows[1]._replace(value=2.2)]
    assert len(check.same_kpis(wrong, check.as_of_either(wrong, hours))) == 1
    assert len(check.same_kpis(rows[:1], check.as_of_either(rows[:1], hours))) == 1
    assert check.as_of_either(rows, hours[:1]) == hours[0]


def test_a_value_that_was_withdrawn_is_not_expected_from_the_broker() -> None:
    rows = [Kpi("A", "", "day", "2026-01-01", 1.0), Kpi("A", "", "day", "2026-01-02", None, "future")]
    assert check.published({("A", "", "day"): ("2026-01-01", 1.0)}, rows) == []
    assert len(check.published({("A", "", "day"): ("2026-01-02", None)}, rows)) == 1
    assert len(check.published({}, rows)) == 1


def test_kpis_are_there_once_and_no_others() -> None:
    day = Kpi("A", "", "day", "2026-01-01", 1.0)
    wanted = {("A", "", "2026-01-01"): 1.0}
    assert check.same_kpis([day], wanted) == []
    assert check.same_kpis([day, day], wanted) == ["doubled: KPI A  day 2026-01-01"]
    half = day._replace(period=None)  # type: ignore[arg-type] # as InfluxDB shows a row of which not all fields are written
    assert "doubled: KPI A  day None" in check.kpis([half, half], wanted)
    assert check.same_kpis([day, day._replace(code="B")], wanted) == ["invented: KPI B  2026-01-01"]
    passed = day._replace(period="2025-12-31", value=None)
    assert check.same_kpis([day, passed], wanted, {("A", "", "2025-12-31"): None}) == []
    assert check.same_kpis([day, passed], wanted, {("A", "", "2025-12-31"): 2.0}) == ["invented: KPI A  2025-12-31"]
    taken_back = day._replace(period="2026-01-02", value=None, reason="future")
    assert check.same_kpis([day, taken_back], wanted) == []
    assert len(check.same_kpis([day, taken_back._replace(value=1.0)], wanted)) == 1
    assert len(check.same_kpis([], wanted)) == len(check.same_kpis([day._replace(value=None)], wanted)) == 1
    later = day._replace(period="2026-01-02", value=2.0)
    assert check.published({("A", "", "day"): ("2026-01-02", 2.0)}, [later, day]) == []
    assert check.published({("A", "", "day"): ("2026-01-01", 1.0)}, [later, day])
    assert check.published({}, [day])


def world(**other: Any) -> Any:
    parts = {"proxies": dict.fromkeys(("nodes-edge", "gateway-hub")), "lines": {"gateway": None}, "influx": None,
             "keeping": True, "disk": True, "fleet": SimpleNamespace(nodes=[1, 2, 3])} | other  # fmt: skip
    return SimpleNamespace(**parts)


def test_a_seed_always_gives_the_same_storm_and_another_one_another() -> None:
    storm = list(schedule(world(), Random(7), 300))
    assert storm == list(schedule(world(), Random(7), 300))
    assert storm != list(schedule(world(), Random(8), 300))


def test_storms_are_made_of_all_faults_and_none_holds_what_another_holds() -> None:
    storms = [list(schedule(world(), Random(seed), 300)) for seed in range(20)]
    assert {fault.name for storm in storms for fault in storm} == set(FAULTS)
    for storm in storms:
        held: dict[str, float] = {}
        for fault in storm:
            assert fault.at >= held.get(fault.target, 0.0)
            held[fault.target] = fault.at + fault.length


def test_without_records_to_send_again_no_edge_broker_forgets() -> None:
    for seed in range(20):
        storm = list(schedule(world(keeping=False), Random(seed), 300))
        assert not [f for f in storm if f.target == "edge" and f.name in ("crash server", "lose broker")]
        assert not [f for f in storm if f.name == "reboot node"]


def test_a_reading_without_a_time_must_be_there_once() -> None:
    device: Any = SimpleNamespace(device="undated-1", acknowledged={1.0, 2.0}, sent_again=set())
    rows = [("undated-1", "power", 5, 1.0), ("undated-1", "power", 6, 2.0)]
    assert check.direct(rows, [device]) == []
    assert check.direct(rows[:1], [device]) == ["lost: undated-1: reading 2 in the gateway"]
    again = ("undated-1", "power", 9, 2.0)
    assert check.direct([*rows, again], [device]) == ["doubled: undated-1: reading 2 in the gateway"]
    device.sent_again = {1.0, 2.0}
    assert check.direct([*rows, again], [device]) == []
    assert check.direct([*rows, again, again], [device]) == ["doubled: undated-1: reading 2 in the gateway"]


def test_a_device_notes_what_it_sends_again_on_a_new_connection() -> None:
    device = DirectDevice(KINDS[0], "a", 1)
    device._open, device.link.epoch = {1: 5.0}, 2
    device.step(writing=False)
    assert device.sent_again == {5.0}
