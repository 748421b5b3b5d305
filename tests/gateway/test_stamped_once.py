"""A reading without a clock of its own is dated by its arrival, once: when it comes again it is not dated again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.buffer import Buffer
from gateway.core import Core, Incoming, Source

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
