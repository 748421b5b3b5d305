"""The loss ledger counts what devices numbered, and asks for what did not come."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.ledger import Totals
from gateway.core import Core, Incoming
from gateway.decoding.decoded import Line
from gateway.ledger import Ledger
from telemetry.errors import Unavailable
from telemetry.ranges import Ranges
from telemetry.windows import HOUR, MINUTE
from tests.gateway import cores

NOW = cores.ARRIVAL


def take(core: Core, *seqs: int, boot: int = 1, device: str = "s1") -> None:
    body = ",".join(f'{{"n":"no2","v":1,"bt":{NOW / 1000 - s},"boot":{boot},"seq":{s}}}' for s in seqs)
    core.accept([Incoming(f"cv/1/aba/{device}/data", f"[{body}]".encode())], NOW)


def totals(core: Core) -> Totals:
    [found] = core.buffer.ledger.totals()
    return found


@pytest.fixture
def core(tmp_path: Path) -> Core:
    return cores.make(tmp_path)


def test_what_comes_in_order_is_received_and_nothing_is_missing(core: Core) -> None:
    take(core, 0, 1)
    take(core, 2)
    assert totals(core) == Totals("aba", "s1", 3, 0, 0, 0, 0, 3)
    assert core.ledger.requests(NOW + HOUR) == []


def test_a_hole_is_missing_is_asked_for_and_is_recovered(core: Core) -> None:
    take(core, 0, 5, 6)
    assert totals(core).missing == 4
    assert core.ledger.requests(NOW) == []  # what was overtaken on the way gets its time
    [request] = core.ledger.requests(NOW + 2000)
    assert (request.city, request.device) == ("aba", "s1")
    assert request.command == {"cmd": "resend", "id": 1, "boot": 1, "from": 1, "to": 4}
    take(core, 1, 2, 3, 4)
    assert totals(core) == Totals("aba", "s1", 7, 0, 0, 4, 0, 7)
    assert core.ledger.requests(NOW + HOUR) == []


def test_flat_objects_are_counted_too_also_those_that_cannot_be_used(core: Core) -> None:
    for seq, rest in ((0, '"no2":5'), (1, '"no2":6,"time":"noon"'), (2, '"no2":7,"time":5'), (4, '"no2":8')):
        core.accept([Incoming("flat_json/s1", f'{{"boot":1,"seq":{seq},{rest}}}'.encode())], NOW + seq)
    assert totals(core) == Totals("aba", "s1", received=4, duplicate=0, refused=2, recovered=0, missing=1, sent=5)


def test_the_pauses_between_requests_double_and_the_asking_ends(core: Core) -> None:
    take(core, 0, 2)
    asked = [s for s in range(200_000) if core.ledger.requests(NOW + s * 1000)]
    pauses = [b - a for a, b in pairwise(asked)]
    assert pauses[:4] == [4, 8, 16, 32]
    assert max(pauses) == HOUR // 1000
    assert len(asked) == 20
    assert totals(core).missing == 1


def test_the_first_records_of_a_boot_can_be_missing_too(core: Core) -> None:
    take(core, 3)
    assert totals(core).missing == 3


def begin(core: Core, boot: int, before: tuple[int, int], device: str = "s1") -> None:
    """The first record of a boot, which names the last one of the boot before."""
    body = f'[{{"n":"no2","v":1,"bt":{NOW / 1000},"boot":{boot},"seq":0,"pboot":{before[0]},"pseq":{before[1]}}}]'
    core.accept([Incoming(f"cv/1/aba/{device}/data", body.encode())], NOW)


def asked(core: Core) -> list[tuple[int, int, int]]:
    commands = [r.command for r in core.ledger.requests(NOW + HOUR)]
    return [(c["boot"], c["from"], c["to"]) for c in commands]


def test_the_end_of_a_boot_that_did_not_come_is_missing_once_the_next_one_begins(core: Core) -> None:
    take(core, 0, 1)
    begin(core, 2, (1, 5))
    assert totals(core) == Totals("aba", "s1", 3, 0, 0, 0, 4, 7)
    assert asked(core) == [(1, 2, 5)]
    take(core, 2, 3, 4, 5)
    assert totals(core) == Totals("aba", "s1", 7, 0, 0, 4, 0, 7)
    assert asked(core) == []


def test_a_boot_of_which_nothing_came_is_asked_for_and_its_first_record_leads_to_the_one_before(core: Core) -> None:
    take(core, 0, 1)
    begin(core, 4, (3, 2))
    assert asked(core) == [(3, 0, 2)]
    begin(core, 3, (1, 7))
    take(core, 1, 2, boot=3)
    assert asked(core) == [(1, 2, 7)]
    assert totals(core).missing == 6


def test_a_boot_that_came_whole_is_not_asked_for_whatever_the_order(core: Core) -> None:
    take(core, 0, 1, 2)
    begin(core, 2, (1, 2))
    begin(core, 2, (1, 2))
    assert asked(core) == []
    begin(core, 3, (2, 1))
    take(core, 1, boot=2)
    assert asked(core) == []
    assert totals(core).missing == 0


def test_the_end_of_a_boot_is_still_known_after_a_restart(core: Core) -> None:
    take(core, 0)
    begin(core, 2, (1, 9))
    again = Ledger(core.buffer.ledger)
    [request] = again.requests(NOW)
    assert (request.command["boot"], request.command["from"], request.command["to"]) == (1, 1, 9)


def test_a_device_met_for_the_first_time_is_not_asked_for_the_boots_before(core: Core) -> None:
    begin(core, 7, (6, 300))
    assert totals(core) == Totals("aba", "s1", 1, 0, 0, 0, 0, 1)
    begin(core, 8, (7, 0), device="s1")
    assert asked(core) == []


@pytest.mark.parametrize("last", [-1, 2**50, 2**60])
def test_an_end_beyond_reason_is_passed_over(core: Core, last: int) -> None:
    take(core, 0)
    begin(core, 2, (1, last))
    assert totals(core).missing == 0


def test_a_device_that_was_there_before_the_gateway_is_not_asked_for_its_past(core: Core) -> None:
    take(core, 90_000)
    assert totals(core) == Totals("aba", "s1", 1, 0, 0, 0, 0, 1)
    take(core, 90_000, boot=2)
    assert totals(core).missing == 90_000  # but now the device is known, and its boots begin at 0


def test_the_same_record_again_is_a_duplicate(core: Core) -> None:
    take(core, 0, 1, 2)
    take(core, 1, 2)
    assert (totals(core).received, totals(core).duplicate) == (3, 2)


def test_a_record_of_which_nothing_can_be_used_is_refused_and_not_missing(core: Core) -> None:
    body = b'[{"n":"no2","v":1,"bt":%d,"boot":1,"seq":0},{"n":"mystery","v":1,"boot":1,"seq":1}]' % (NOW // 1000)
    core.accept([Incoming("cv/1/aba/s1/data", body)], NOW)
    assert totals(core) == Totals("aba", "s1", 2, 0, 1, 0, 0, 2)


def test_a_transaction_that_failed_counts_nothing(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    take(core, 0)

    def fail(_amounts: object) -> None:
        raise Unavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(core.buffer, "count", fail)
        with pytest.raises(Unavailable):
            take(core, 1)
    take(core, 1, 2)
    assert totals(core) == Totals("aba", "s1", 3, 0, 0, 0, 0, 3)


def test_the_ledger_goes_on_after_a_restart(core: Core) -> None:
    take(core, 0, 3)
    again = Ledger(core.buffer.ledger)
    [request] = again.requests(NOW)
    assert (request.command["from"], request.command["to"]) == (1, 2)


def test_a_device_with_endless_holes_keeps_a_short_row(core: Core) -> None:
    take(core, *range(0, 4000, 2))
    [entry] = core.buffer.ledger.with_gaps()
    assert len(entry.seen) < 10_000
    assert totals(core).missing == 1999
    assert totals(core).sent == totals(core).received + totals(core).missing


def test_long_holes_are_asked_for_in_pieces_a_node_takes(core: Core) -> None:
    take(core, 0, 12_000)
    asked = [(r.command["from"], r.command["to"]) for r in core.ledger.requests(NOW + HOUR)]
    assert asked == [(1, 5000), (5001, 10_000), (10_001, 11_999)]


def test_holes_that_nobody_can_fill_do_not_hide_a_new_one(core: Core) -> None:
    take(core, *range(0, 40, 2))
    for s in range(0, 400_000, 60):
        core.ledger.requests(NOW + s * 1000)  # the node has none of them any more
    take(core, 40, 42)
    assert (1, 41, 41) in asked(core)


def test_all_holes_are_asked_for_in_turn(core: Core) -> None:
    take(core, *range(0, 802, 2))
    wanted = {r.command["from"] for s in range(0, 400 * 3600, 600) for r in core.ledger.requests(NOW + s * 1000)}
    assert wanted == set(range(1, 801, 2))


def apart(ranges: Ranges) -> bool:
    """Whether the ranges are in order and do not touch."""
    return all(b + 1 < a for (_, b), (a, _) in pairwise(ranges.spans()))


@settings(max_examples=2 * settings().max_examples)
@given(st.lists(st.integers(0, 60), max_size=80))
def test_ranges_are_the_set_of_the_numbers(numbers: list[int]) -> None:
    ranges, plain = Ranges(), set[int]()
    for n in numbers:
        assert ranges.add(n) == (n not in plain)
        plain.add(n)
    held = {n for a, b in ranges.spans() for n in range(a, b + 1)}
    holes = {n for a, b in ranges.gaps() for n in range(a, b + 1)}
    assert held == plain
    assert holes == set(range(max(plain, default=0))) - plain
    assert (ranges.count, ranges.end) == (len(plain), max(plain, default=-1))
    assert {n for n in range(-2, 63) if n in ranges} == plain
    assert apart(ranges)
    assert str(Ranges(str(ranges))) == str(ranges)
    lowest = ranges.gaps()[:1]
    closed = ranges.fill_first_gap()
    assert closed == sum(b - a + 1 for a, b in lowest)
    assert holes - {n for a, b in lowest for n in range(a, b + 1)} == {
        n for a, b in ranges.gaps() for n in range(a, b + 1)
    }


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_one_set_covers_another(one: set[int], other: set[int]) -> None:
    made = [Ranges(), Ranges()]
    for ranges, numbers in zip(made, (one, other), strict=True):
        for n in numbers:
            ranges.add(n)
    made[0].add_all(made[1])
    assert {n for a, b in made[0].spans() for n in range(a, b + 1)} == one | other
    assert (made[0].count, apart(made[0])) == (len(one | other), True)


@pytest.mark.parametrize(
    ("text", "start", "filled", "after"),
    [
        ("", 0, 0, ""), ("0-3", 0, 0, "0-3"), ("2-3", 0, 2, "0-3"), ("2-3", 1, 1, "1-3"), ("0-3,7", 0, 3, "0-7"),
        ("0,2,9-10", 0, 1, "0-2,9-10"), ("4,6", 4, 1, "4-6"), ("1-2,5", 0, 1, "0-2,5"),
    ],
)  # fmt: skip
def test_the_first_gap_is_filled(text: str, start: int, filled: int, after: str) -> None:
    ranges = Ranges(text)
    assert (ranges.fill_first_gap(start), str(ranges)) == (filled, after)


def test_the_lowest_range_is_dropped_whole() -> None:
    ranges = Ranges("1-4,7,9-12")
    ranges.drop_first()
    assert str(ranges) == "7,9-12"


@given(st.sets(st.integers(0, 60)), st.integers(0, 5), st.integers(1, 9))
def test_numbers_beyond_the_largest_are_added_together(members: set[int], ahead: int, count: int) -> None:
    ranges = Ranges()
    for number in members:
        ranges.add(number)
    first = ranges.end + 1 + ahead
    ranges.extend(first, count)
    expected = members | set(range(first, first + count))
    assert {n for a, b in ranges.spans() for n in range(a, b + 1)} == expected
    assert ranges.count == len(expected)
    assert all(b + 1 < a for (_, b), (a, _) in pairwise(ranges.spans()))


@pytest.mark.parametrize(("start", "gaps"), [(0, [(0, 1), (4, 4)]), (1, [(1, 1), (4, 4)]), (2, [(4, 4)])])
def test_gaps_begin_with_the_first_number_that_counts(start: int, gaps: list[tuple[int, int]]) -> None:
    assert Ranges("2-3,5-6").gaps(start) == gaps


def test_numbers_that_leap_beyond_reason_are_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(Buffer(tmp_path / "a.db", MINUTE).ledger)
    ledger.store([Line("aba", "s1", 1, 0, True), Line("aba", "s1", 1, 2**50, True)], NOW)
    [found] = ledger.report(0)
    assert (found.sent, found.missing) == (1, 0)


def undated(core: Core, seq: int, up: float, sent: float, arrival: int) -> None:
    body = f'[{{"n":"no2","v":5,"up":{up},"sent":{sent},"boot":1,"seq":{seq}}}]'
    core.accept([Incoming("cv/1/aba/s1/data", body.encode())], arrival)


def dated(core: Core, seq: int, t: int, arrival: int) -> None:
    body = f'[{{"n":"no2","v":5,"bt":{t / 1000},"boot":1,"seq":{seq}}}]'
    core.accept([Incoming("cv/1/aba/s1/data", body.encode())], arrival)


def stored(core: Core) -> list[int]:
    _, readings = core.buffer.dirty(100)
    return sorted(readings.t.tolist())


def test_a_record_that_was_dated_by_its_arrival_is_not_stored_again_once_the_node_knows_the_time(core: Core) -> None:
    undated(core, 0, up=10, sent=70, arrival=NOW)
    dated(core, 1, NOW - 30_000, NOW + 1000)
    dated(core, 0, NOW - 61_000, NOW + 2000)  # its acknowledgement was lost; now the node's clock is set
    assert stored(core) == [NOW - 60_000, NOW - 30_000]
    assert (totals(core).received, totals(core).duplicate) == (2, 1)
    core.ledger = Ledger(core.buffer.ledger)  # also after a restart
    dated(core, 0, NOW - 61_000, NOW + 3000)
    assert stored(core) == [NOW - 60_000, NOW - 30_000]


def test_what_was_dated_in_a_transaction_that_failed_is_dated_when_it_comes_again(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_amounts: object) -> None:
        raise Unavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(core.buffer, "count", fail)
        with pytest.raises(Unavailable):
            undated(core, 0, up=10, sent=70, arrival=NOW)
    dated(core, 0, NOW - 61_000, NOW + 2000)
    assert stored(core) == [NOW - 61_000]


def test_what_was_dated_by_its_arrival_is_forgotten_with_its_readings(core: Core) -> None:
    undated(core, 0, up=10, sent=70, arrival=NOW)
    core.ledger.forget_undated(NOW)
    assert core.ledger.undated("aba", "s1", 1, 0)
    core.ledger.forget_undated(NOW + 2 * HOUR)
    assert not core.ledger.has_undated("aba", "s1")
    assert core.buffer.ledger.undated() == {}
    assert totals(core).received == 1


def test_the_report_names_those_in_trouble_with_all_their_boots(core: Core) -> None:
    take(core, 0)
    take(core, 0, 2, boot=2)
    take(core, 0, device="s2")
    assert core.ledger.report(None) == [Totals("aba", "s1", 3, 0, 0, 0, 1, 4)]
    assert core.ledger.report(None) == []


def test_a_transaction_that_failed_leaves_no_trouble_behind(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_amounts: object) -> None:
        raise Unavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(core.buffer, "count", fail)
        with pytest.raises(Unavailable):
            take(core, 3)
    assert core.ledger.report(None) == []


_LINE = st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from([True, True, True, False, None]), st.booleans())


def counted(folder: Path, batches: list[list[Line]]) -> tuple[list[Any], list[Any], list[Any]]:
    """Rows, totals and commands of a ledger after these batches, ten seconds apart."""
    folder.mkdir()
    buffer = Buffer(folder / "a.db", MINUTE)
    ledger = Ledger(buffer.ledger)
    for number, batch in enumerate(batches):
        with buffer.transaction():
            ledger.store(batch, NOW + 10_000 * number)
    rows = buffer.db.execute("SELECT * FROM ledger ORDER BY 1, 2, 3").fetchall()
    found = rows, list(ledger.report(0)), list(ledger.requests(NOW + 10_000 * len(batches) + HOUR))
    buffer.close()
    return found


@settings(max_examples=60, deadline=None)
@given(runs=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(1, 8)), max_size=6), odd=_LINE)
def test_records_counted_together_are_counted_like_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[int, int, int]],
    odd: tuple[int, int, bool | None, bool],
) -> None:
    """Records that follow each other are counted at once; the state must be that of one `count` a record."""
    folder = tmp_path_factory.mktemp("ledger")
    lines = [Line("aba", "s1", boot, seq, True) for boot, first, n in runs for seq in range(first, first + n)]
    lines.insert(len(lines) // 2, Line("aba", "s1", odd[0], odd[1], odd[2], bool(odd[2]) and odd[3]))
    batches = [lines[: len(lines) // 3], lines[len(lines) // 3 :], lines]

    together = counted(folder / "together", batches)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.ledger._follow", lambda first, lines: False)
        assert counted(folder / "apart", batches) == together
