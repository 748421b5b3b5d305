"""A reading without a clock of its own is dated by its arrival, once: a redelivery does not change its date."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from gateway.decoding.decoded import SourceOptions
from telemetry.errors import Unavailable

NOW = 1_700_000_000_000


def core(folder: Path) -> Core:
    return Core(Buffer(folder / "buffer.db", 60_000), [Source("cv/1/{city}/{device}/data", "senml")])


def message(sent: int, seq: int = 7) -> bytes:
    record = {"boot": 3, "seq": seq, "up": 100, "sent": sent, "n": "energy_delta", "u": "kWh", "v": 2.5}
    return msgspec.json.encode([record])


def total(made: Core) -> tuple[int, float]:
    _, partials = made.pending()
    return int(partials.n.sum()), float(partials.sum.sum())


def test_a_message_that_comes_again_later_is_stored_once(tmp_path: Path) -> None:
    made = core(tmp_path)
    for delay, sent in ((0, 160), (5_000, 160), (60_000, 220), (90_000, 250)):
        made.accept([Incoming("cv/1/x/m/data", message(sent))], NOW + delay)
    assert total(made) == (1, 2.5)
    assert made.pending()[1].first_t.tolist() == [NOW - 60_000]


def test_that_holds_over_a_restart(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([Incoming("cv/1/x/m/data", message(160))], NOW)
    made.buffer.close()
    again = core(tmp_path)
    again.accept([Incoming("cv/1/x/m/data", message(160)), Incoming("cv/1/x/m/data", message(165, seq=8))], NOW + 9_000)
    assert total(again) == (2, 5.0)


def test_a_retained_one_is_refused_with_the_reason(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([Incoming("cv/1/x/m/data", message(160), retain=True)], NOW)
    made.accept([Incoming("cv/1/x/m/data", b'[{"n":"energy_delta","v":1,"t":-5}]', retain=True)], NOW)
    assert total(made) == (0, 0.0)
    assert all("retained" in r.reason for r in made.buffer.rejects.newest(5))
    assert len(made.buffer.rejects.newest(5)) == 2


def unavailable(*_: object) -> None:
    raise Unavailable("no")


def flat_core(folder: Path, **rename: str) -> Core:
    options = SourceOptions(rename=rename)
    sources = [Source("cv/1/{city}/{device}/data", "senml", options=options), Source("f/{device}", "flat_json", "x")]
    return Core(Buffer(folder / "buffer.db", 60_000), sources)


def dated(seq: int, ago: int = 60) -> Incoming:
    record = {"boot": 3, "seq": seq, "bt": NOW // 1000 - ago, "n": "energy_delta", "u": "kWh", "v": 2.5}
    return Incoming("cv/1/x/m/data", msgspec.json.encode([record]))


def undated(seq: int, up: float = 100, sent: float = 160, value: float = 2.5, name: str = "energy_delta") -> Incoming:
    record = {"boot": 3, "seq": seq, "up": up, "sent": sent, "n": name, "u": "kWh", "v": value}
    return Incoming("cv/1/x/m/data", msgspec.json.encode([record]))


def test_messages_that_waited_at_the_broker_and_arrive_together_are_all_kept(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([undated(seq, up=10 * seq, sent=10 * seq + 1) for seq in range(6)], NOW)
    made.accept([undated(6, up=60, sent=61.003)], NOW + 3)  # another delay, and the same millisecond
    assert total(made) == (7, 17.5)


def test_so_are_those_that_have_no_numbers(tmp_path: Path) -> None:
    made = flat_core(tmp_path)
    made.accept([Incoming("f/m", b'{"energy_delta":2.5}'), Incoming("f/m", b'{"energy_delta":2.5}')], NOW)
    assert total(made) == (2, 5.0)


def test_a_register_that_arrives_together_is_read_in_the_order_of_its_records(tmp_path: Path) -> None:
    made = core(tmp_path)
    values = [5000 + 10 * seq for seq in range(300)]
    rows = [undated(seq, up=seq, sent=seq + 1, value=v, name="energy_total") for seq, v in enumerate(values)]
    made.accept(rows[::-1], NOW)
    _, partials = made.pending()
    assert (partials.first.tolist(), partials.last.tolist()) == ([5000.0], [7990.0])
    assert partials.increase.tolist() == [2990.0]


def test_a_record_that_is_twice_in_one_batch_is_stored_once_whichever_copy_has_a_time(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([undated(1), undated(1, sent=170)], NOW)
    made.accept([undated(2), dated(2)], NOW)
    made.accept([dated(3), undated(3, sent=170)], NOW)
    assert total(made) == (3, 7.5)


def test_numbers_the_ledger_does_not_count_are_stamped_once_too(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([dated(0, ago=600)], NOW)
    for delay in (0, 9000):
        made.accept([undated(5_000_000, sent=160)], NOW + delay)
    assert total(made) == (2, 5.0)


def test_what_could_not_be_counted_because_the_disk_was_away_is_stored_when_it_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = core(tmp_path)

    with monkeypatch.context() as patch:
        patch.setattr(made.buffer, "count", unavailable)
        patch.setattr(made.buffer, "_read", unavailable)
        patch.setattr(made.buffer.ledger, "undated", unavailable)
        with pytest.raises(Unavailable):
            made.accept([undated(1)], NOW)
    made.accept([dated(1), dated(2, ago=70)], NOW + 9000)
    assert total(made) == (2, 5.0)


class Delivery(NamedTuple):
    """One copy of a record on its way: dated by the node or not, the last of its batch or not, that batch's fate."""

    seq: int
    dated: bool
    ends_batch: bool
    fails: bool
    restarts: bool


deliveries = st.lists(
    st.builds(Delivery, st.integers(0, 6), st.booleans(), st.booleans(), st.booleans(), st.booleans()), max_size=25
)


@settings(max_examples=60, deadline=None)
@given(deliveries)
def test_every_record_is_stored_once_however_its_copies_come(found: list[Delivery]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = core(Path(folder))
        batch: list[Incoming] = []
        stored: set[int] = set()
        for number, d in enumerate([*found, Delivery(7, False, True, False, False)]):
            now = NOW + 1000 * number
            batch.append(dated(d.seq, ago=600 - d.seq) if d.dated else undated(d.seq, up=d.seq, sent=60 + number))
            if not d.ends_batch:
                continue
            with pytest.MonkeyPatch.context() as once:
                if d.fails:
                    once.setattr(made.buffer, "count", unavailable)
                with suppress(Unavailable):
                    made.accept(batch, now)
                    stored |= {msgspec.json.decode(m.payload)[0]["seq"] for m in batch}
            if d.restarts:
                made.buffer.close()
                made = core(Path(folder))
            batch = []
        rows = made.buffer.db.execute("SELECT count(*) FROM every_reading").fetchone()[0]
        [counted] = made.buffer.ledger.totals()
        made.buffer.close()
        assert (rows, counted.received, counted.refused) == (len(stored), len(stored), 0)
