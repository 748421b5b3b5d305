"""Refused messages that are taken once more: what can be used now is stored, once, and the ledger knows it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.ledger import Totals
from cityvitals.operation.rejects import feed
from gateway.core import Core, Incoming, Source
from gateway.decoding.decoded import SourceOptions
from telemetry.windows import DAY, HOUR

NOW = 1_700_000_000_000
LATER = NOW + 10 * DAY
TOPIC = "cv/1/x/m/data"


def core(folder: Path, **rename: str) -> Core:
    options = SourceOptions(rename=rename)
    return Core(Buffer(folder / "buffer.db", 60_000), [Source("cv/1/{city}/{device}/data", "senml", options=options)])


def undated(*names: str, seq: int = 0, sent: float = 160) -> Incoming:
    head = {"boot": 3, "seq": seq, "up": 100, "sent": sent}
    return Incoming(
        TOPIC, msgspec.json.encode([{**(head if i == 0 else {}), "n": n, "v": 2.5} for i, n in enumerate(names)])
    )


def again(made: Core) -> tuple[int, int]:
    done = feed(made, made.buffer.rejects.newest()[::-1], LATER)
    return done.stored, done.kept


def held(made: Core) -> list[tuple[str, int]]:
    _, readings = made.buffer.dirty(100)
    return sorted((made.buffer.table[s].quantity, NOW - t) for s, t in zip(readings.series, readings.t, strict=True))


def totals(made: Core) -> Totals:
    [found] = made.buffer.ledger.totals()
    return found


@pytest.mark.parametrize("names", [("power_x",), ("no2", "power_x"), ("power_x", "no2")])
def test_a_message_dated_by_its_arrival_is_stored_under_the_arrival_it_had(tmp_path: Path, names: tuple[str]) -> None:
    core(tmp_path).accept([undated(*names)], NOW)
    made = core(tmp_path, power_x="power")
    assert again(made) == (1, 0)
    assert held(made) == sorted((n.replace("_x", ""), 60_000) for n in names)
    assert again(made) == (0, 0)
    assert (totals(made).received, totals(made).refused) == (1, 0)


def test_copies_of_it_that_were_kept_at_several_arrivals_are_stored_once(tmp_path: Path) -> None:
    for delay, names in ((0, ("power_x",)), (5000, ("power_x",)), (9000, ("no2", "power_x"))):
        core(tmp_path).accept([undated(*names)], NOW + delay)
    made = core(tmp_path, power_x="power")
    again(made)
    assert held(made) == [("power", 60_000)]


def test_what_a_clock_that_was_behind_refused_is_stored_once_the_clock_is_right(tmp_path: Path) -> None:
    made = core(tmp_path)
    body = b'[{"n":"no2","v":1,"bt":%d,"boot":1,"seq":0}]' % (NOW // 1000)
    made.accept([Incoming(TOPIC, body)], NOW - 3 * HOUR)
    assert "future" in made.buffer.rejects.newest()[0].reason
    assert totals(made).refused == 1
    assert again(made) == (1, 0)
    assert held(made) == [("no2", 0)]
    assert totals(made) == Totals("x", "m", received=1, duplicate=0, refused=0, recovered=0, missing=0, sent=1)


def test_what_was_retained_is_refused_again(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([Incoming(TOPIC, b'[{"n":"no2","v":1}]', retain=True)], NOW)
    assert again(made) == (0, 1)
    assert held(made) == []


def test_what_is_still_wrong_is_kept_and_counted_as_before(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([undated("power_x")], NOW)
    assert again(made) == (0, 1)
    assert (totals(made).received, totals(made).refused) == (1, 1)
